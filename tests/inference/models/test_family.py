import json
from pathlib import Path
from typing import Any

import pytest

from contract.family import Family
from inference.models.errors import UnusableModelError
from inference.models.family import ModelType, model_type_of_directory, model_type_of_single_file
from inference.models.safetensors_file import Header
from tests.inference.models import ldm_layout


def write(directory: Path, unet: dict[str, Any], *, encoders: tuple[str, ...] = ("text_encoder",)) -> Path:
    """Writes the configuration files of a model with this UNet, into a directory with a misleading name."""
    model = directory / "sdxl-base-v1-5-refiner"
    index = {name: ["transformers", "CLIPTextModel"] for name in encoders}
    index["unet"] = ["diffusers", unet.pop("_class_name", "UNet2DConditionModel")]
    index["safety_checker"] = [None, None]  # type: ignore[list-item]
    (model / "unet").mkdir(parents=True)
    (model / "scheduler").mkdir()
    (model / "model_index.json").write_text(json.dumps({"_class_name": "Any", **index}))
    (model / "unet/config.json").write_text(json.dumps(unet))
    (model / "scheduler/scheduler_config.json").write_text(json.dumps({"prediction_type": "v_prediction"}))
    return model


@pytest.mark.parametrize(
    ("unet", "encoders", "family"),
    [
        ({"cross_attention_dim": 768}, ("text_encoder",), Family.SD1),
        ({"cross_attention_dim": 768, "in_channels": 9}, ("text_encoder",), Family.SD1),
        ({"cross_attention_dim": 1024, "use_linear_projection": True}, ("text_encoder",), Family.SD2),
        (
            {"cross_attention_dim": 2048, "addition_embed_type": "text_time"},
            ("text_encoder", "text_encoder_2"),
            Family.SDXL,
        ),
        (
            {"cross_attention_dim": 1280, "addition_embed_type": "text_time"},
            ("text_encoder_2",),
            Family.SDXL_REFINER,
        ),
        ({"cross_attention_dim": 768, "in_channels": 8}, ("text_encoder",), Family.OTHER),
        ({"_class_name": "UNet3DConditionModel"}, ("text_encoder",), Family.OTHER),
    ],
)
def test_the_type_of_a_directory_is_read_from_its_configuration(
    tmp_path: Path, unet: dict[str, Any], encoders: tuple[str, ...], family: Family
) -> None:
    channels = unet.get("in_channels", 4)
    model_type = model_type_of_directory(write(tmp_path, dict(unet), encoders=encoders))
    assert model_type.family is family
    if "_class_name" not in unet:
        assert model_type == ModelType(family, channels, "v_prediction")


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl", "sdxl_refiner"])
def test_a_directory_and_a_single_file_of_the_same_model_have_the_same_type(
    tmp_path: Path, family: str
) -> None:
    pipeline = ldm_layout.pipeline(family, prediction="v_prediction" if family == "sd2" else "epsilon")
    pipeline.save_pretrained(tmp_path)
    tensors = ldm_layout.tensors_of(pipeline)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    model_type = model_type_of_single_file(
        Header(shapes, {}), deviation_of=lambda name: float(tensors[name].std())
    )
    assert model_type.family is Family(family)
    assert model_type == model_type_of_directory(tmp_path)


def test_edm_models_are_not_supported() -> None:
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in ldm_layout.tensors_of(ldm_layout.pipeline("sdxl")).items()
    }
    assert model_type_of_single_file(Header(shapes | {"edm_mean": (1, 4, 1, 1)}, {})).family is Family.OTHER


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "is not a JSON object"),
        (" " * (17 << 20), "is too large"),
    ],
    ids=["missing", "damaged", "deeply nested", "not an object", "too large"],
)
def test_a_missing_or_damaged_configuration_file_is_named(
    model: Path, name: str, content: str | None, message: str
) -> None:
    if content is None:
        (model / name).unlink()
    else:
        (model / name).write_text(content)
    with pytest.raises(UnusableModelError, match=rf"{Path(name).name} {message}"):
        model_type_of_directory(model)


@pytest.mark.parametrize("family", list(Family))
def test_the_defaults_of_a_family_are_within_its_limits(family: Family) -> None:
    limits, defaults = family.limits, family.defaults
    assert limits.min_size <= defaults.width == defaults.height <= limits.max_size
    assert defaults.steps <= limits.max_steps
