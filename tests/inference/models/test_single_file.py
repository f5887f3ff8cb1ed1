from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contract.family import Family
from inference.models.absent_vae import AbsentVae
from inference.models.errors import UnusableModelError
from inference.models.formats import SingleFile
from inference.models.loading import load_pipeline
from inference.models.single_file import single_file_components
from tests.inference.models import ldm_layout

COMPONENTS = ("unet", "vae", "text_encoder", "text_encoder_2")
KINDS = [
    ("sd1", 4, "epsilon"),
    ("sd1", 9, "epsilon"),
    ("sd2", 4, "v_prediction"),
    ("sd2", 9, "epsilon"),
    ("sdxl", 4, "epsilon"),
    ("sdxl_refiner", 4, "epsilon"),
]


def generate(pipe: Any) -> np.ndarray[Any, Any]:
    """An image as floats."""
    pipe.set_progress_bar_config(disable=True)
    image = pipe(
        "a photo of a cat",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=2,
        output_type="np",
        generator=torch.Generator().manual_seed(1),
    ).images[0]
    return np.asarray(image)


@pytest.mark.parametrize(("family", "channels", "prediction"), KINDS)
def test_a_single_file_has_the_weights_of_the_original_pipeline(
    tmp_path: Path, family: str, channels: int, prediction: str
) -> None:
    original = ldm_layout.pipeline(family, channels=channels, prediction=prediction)
    loaded = load_pipeline(ldm_layout.write(original, tmp_path / "model.safetensors"))
    assert type(loaded) is type(original)
    assert loaded.scheduler.config.prediction_type == prediction
    for name in COMPONENTS:
        tensors, expected = getattr(loaded, name, None), getattr(original, name, None)
        if expected is None:
            assert tensors is None
            continue
        tensors, expected = tensors.state_dict(), expected.state_dict()
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("family", "prediction"), [("sd1", "epsilon"), ("sd2", "v_prediction"), ("sdxl", "epsilon")]
)
def test_a_single_file_generates_the_same_image_as_the_original_pipeline(
    tmp_path: Path, family: str, prediction: str
) -> None:
    original = ldm_layout.pipeline(family, prediction=prediction)
    loaded = load_pipeline(ldm_layout.write(original, tmp_path / "model.safetensors"))
    image = generate(loaded)
    assert image.std() > 0
    assert np.array_equal(image, generate(original))


def test_a_pickled_checkpoint_is_loaded(tmp_path: Path) -> None:
    tensors = ldm_layout.tensors_of(ldm_layout.pipeline("sd1"))
    torch.save({"state_dict": tensors, "global_step": 100}, tmp_path / "model.ckpt")
    loaded = load_pipeline(tmp_path / "model.ckpt")
    assert torch.equal(loaded.unet.conv_in.weight, tensors["model.diffusion_model.input_blocks.0.0.weight"])


def test_text_encoder_names_without_text_model_are_converted(tmp_path: Path) -> None:
    tensors = {
        name.replace("transformer.text_model.", "transformer."): tensor.contiguous()
        for name, tensor in ldm_layout.tensors_of(ldm_layout.pipeline("sd1")).items()
    }
    save_file(tensors, tmp_path / "model.safetensors")
    loaded = load_pipeline(tmp_path / "model.safetensors")
    weight = tensors["cond_stage_model.transformer.embeddings.token_embedding.weight"]
    assert torch.equal(loaded.text_encoder.get_input_embeddings().weight, weight)


@pytest.mark.parametrize(
    ("steps", "prediction"),
    [(220_000, "epsilon"), (875_000, "epsilon"), (1, "v_prediction"), (None, "v_prediction")],
)
def test_the_prediction_type_of_sd2_is_inferred_from_the_global_step(
    tmp_path: Path, steps: int | None, prediction: str
) -> None:
    tensors = ldm_layout.tensors_of(ldm_layout.pipeline("sd2", prediction="v_prediction"))
    torch.save({"state_dict": tensors} | ({"global_step": steps} if steps else {}), tmp_path / "model.ckpt")
    model_type, _ = single_file_components(SingleFile(tmp_path / "model.ckpt"))
    assert (model_type.family, model_type.prediction_type) == (Family.SD2, prediction)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_sd2_predicts_velocity_only_where_the_last_attention_shows_it(
    tmp_path: Path, suffix: str, prediction: str
) -> None:
    """The published base models and those trained from them have no other mark in a file of tensors alone."""
    tensors = ldm_layout.tensors_of(ldm_layout.pipeline("sd2", prediction=prediction))
    path = tmp_path / f"model{suffix}"
    if suffix == ".ckpt":
        torch.save({"state_dict": tensors}, path)
    else:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    assert load_pipeline(path).scheduler.config.prediction_type == prediction


@pytest.mark.parametrize(
    ("family", "metadata", "prediction"),
    [
        ("sd2", {"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ("sd2", {"modelspec.resolution": "512x512"}, "epsilon"),
        ("sdxl", {"modelspec.prediction_type": "v"}, "v_prediction"),
    ],
)
def test_the_prediction_type_is_read_from_the_metadata(
    tmp_path: Path, family: str, metadata: dict[str, str], prediction: str
) -> None:
    path = ldm_layout.write(ldm_layout.pipeline(family), tmp_path / "model.safetensors", **metadata)
    assert single_file_components(SingleFile(path))[0].prediction_type == prediction


def test_v_prediction_of_sdxl_is_read_from_marker_tensors(tmp_path: Path) -> None:
    path = ldm_layout.write(ldm_layout.pipeline("sdxl"), tmp_path / "model.safetensors")
    save_file(load_file(path) | {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, path)
    scheduler = load_pipeline(path).scheduler.config
    assert (scheduler.prediction_type, scheduler.rescale_betas_zero_snr) == ("v_prediction", True)
    assert scheduler.timestep_spacing == "trailing"


@pytest.mark.parametrize(
    "tensors",
    [
        {"lora_unet_down.lora_up.weight": torch.zeros(4, 4)},
        {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 8, 3, 3)},
        {},
    ],
    ids=["a LoRA", "unsupported in_channels", "no tensors"],
)
def test_a_file_without_a_supported_model_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(UnusableModelError, match="not a complete Stable Diffusion 1, 2 or XL"):
        load_pipeline(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("first_stage_model.encoder.down.0.block.0.conv1", "lacks tensors of a model of the family sd1"),
        ("first_stage_model.decoder.mid.block_1.conv1.bias", "vae: 1 of"),
        ("model.diffusion_model.out.2.bias", "unet: 1 of"),
        ("cond_stage_model.", "not a complete Stable Diffusion"),
    ],
)
def test_a_file_without_a_component_is_refused(tmp_path: Path, prefix: str, message: str) -> None:
    tensors = ldm_layout.tensors_of(ldm_layout.pipeline("sd1"))
    rest = {name: tensor.contiguous() for name, tensor in tensors.items() if not name.startswith(prefix)}
    save_file(rest, tmp_path / "model.safetensors")
    with pytest.raises(UnusableModelError, match=message):
        load_pipeline(tmp_path / "model.safetensors")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = ldm_layout.write(ldm_layout.pipeline("sd1"), tmp_path / "model.safetensors")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnusableModelError, match=r"model\.safetensors is not a complete safetensors file"):
        load_pipeline(path)


@pytest.mark.parametrize(
    ("prefix", "missing"),
    [
        ("first_stage_model.", "no VAE"),
        ("first_stage_model.encoder.", "half of a VAE, without the encoder"),
        ("first_stage_model.decoder.", "half of a VAE, without the decoder"),
    ],
)
@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_file_without_a_vae_is_loaded_for_requests_that_name_one(
    tmp_path: Path, family: str, prefix: str, missing: str
) -> None:
    original = ldm_layout.pipeline(family)
    tensors = ldm_layout.tensors_of(original)
    rest = {name: tensor.contiguous() for name, tensor in tensors.items() if not name.startswith(prefix)}
    save_file(rest, tmp_path / "model.safetensors")
    loaded = load_pipeline(tmp_path / "model.safetensors")
    assert isinstance(loaded.vae, AbsentVae)
    assert loaded.vae.missing == missing
    assert loaded.vae.config.scaling_factor == original.vae.config.scaling_factor
    assert loaded.vae_scale_factor == original.vae_scale_factor
