"""Single files in their makers' layout become what diffusers has of the same model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from contract.family import Family
from inference.models.errors import UnusableModelError
from inference.models.formats import SingleFile
from inference.models.loading import load_pipeline
from inference.models.single_file import single_file_parts
from tests.inference.models import original_layout

PARTS = ("unet", "vae", "text_encoder", "text_encoder_2")
KINDS = [
    ("sd1", 4, "epsilon"),
    ("sd1", 9, "epsilon"),
    ("sd2", 4, "v_prediction"),
    ("sd2", 9, "epsilon"),
    ("sdxl", 4, "epsilon"),
    ("sdxl_refiner", 4, "epsilon"),
]


def draw(pipe: Any) -> np.ndarray[Any, Any]:
    """A picture, as bytes."""
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
def test_a_single_file_has_the_same_weights_and_settings_as_the_directory(
    tmp_path: Path, family: str, channels: int, prediction: str
) -> None:
    original = original_layout.pipeline(family, channels=channels, prediction=prediction)
    opened = load_pipeline(original_layout.write(original, tmp_path / "model.safetensors"))
    assert type(opened) is type(original)
    assert opened.scheduler.config.prediction_type == prediction
    for name in PARTS:
        ours, theirs = getattr(opened, name, None), getattr(original, name, None)
        if theirs is None:
            assert ours is None
            continue
        ours, theirs = ours.state_dict(), theirs.state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.parametrize(
    ("family", "prediction"), [("sd1", "epsilon"), ("sd2", "v_prediction"), ("sdxl", "epsilon")]
)
def test_a_single_file_draws_what_the_directory_draws(tmp_path: Path, family: str, prediction: str) -> None:
    original = original_layout.pipeline(family, prediction=prediction)
    opened = load_pipeline(original_layout.write(original, tmp_path / "model.safetensors"))
    drawn = draw(opened)
    assert drawn.std() > 0
    assert np.array_equal(drawn, draw(original))


def test_a_checkpoint_is_read_as_the_safetensors_of_the_same_model(tmp_path: Path) -> None:
    tensors = original_layout.tensors_of(original_layout.pipeline("sd1"))
    torch.save({"state_dict": tensors, "global_step": 100}, tmp_path / "model.ckpt")
    opened = load_pipeline(tmp_path / "model.ckpt")
    assert torch.equal(opened.unet.conv_in.weight, tensors["model.diffusion_model.input_blocks.0.0.weight"])


def test_older_names_of_the_text_encoder_are_understood(tmp_path: Path) -> None:
    tensors = {
        name.replace("transformer.text_model.", "transformer."): tensor.contiguous()
        for name, tensor in original_layout.tensors_of(original_layout.pipeline("sd1")).items()
    }
    save_file(tensors, tmp_path / "model.safetensors")
    opened = load_pipeline(tmp_path / "model.safetensors")
    weight = tensors["cond_stage_model.transformer.embeddings.token_embedding.weight"]
    assert torch.equal(opened.text_encoder.get_input_embeddings().weight, weight)


@pytest.mark.parametrize(
    ("steps", "prediction"),
    [(220_000, "epsilon"), (875_000, "epsilon"), (1, "v_prediction"), (None, "v_prediction")],
)
def test_the_two_kinds_of_sd2_are_told_apart_by_how_long_they_were_trained(
    tmp_path: Path, steps: int | None, prediction: str
) -> None:
    tensors = original_layout.tensors_of(original_layout.pipeline("sd2"))
    torch.save({"state_dict": tensors} | ({"global_step": steps} if steps else {}), tmp_path / "model.ckpt")
    traits, _ = single_file_parts(SingleFile(tmp_path / "model.ckpt"))
    assert (traits.family, traits.prediction_type) == (Family.SD2, prediction)


@pytest.mark.parametrize(
    ("family", "notes", "prediction"),
    [
        ("sd2", {"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ("sd2", {"modelspec.resolution": "512x512"}, "epsilon"),
        ("sdxl", {"modelspec.prediction_type": "v"}, "v_prediction"),
    ],
)
def test_what_a_file_notes_of_itself_decides(
    tmp_path: Path, family: str, notes: dict[str, str], prediction: str
) -> None:
    path = original_layout.write(original_layout.pipeline(family), tmp_path / "model.safetensors", **notes)
    assert single_file_parts(SingleFile(path))[0].prediction_type == prediction


def test_an_sdxl_that_predicts_velocities_is_known_by_its_marks(tmp_path: Path) -> None:
    path = original_layout.write(original_layout.pipeline("sdxl"), tmp_path / "model.safetensors")
    save_file(load_file(path) | {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, path)
    scheduler = load_pipeline(path).scheduler.config
    assert (scheduler.prediction_type, scheduler.rescale_betas_zero_snr) == ("v_prediction", True)


@pytest.mark.parametrize(
    "tensors",
    [
        {"lora_unet_down.lora_up.weight": torch.zeros(4, 4)},
        {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 8, 3, 3)},
        {},
    ],
    ids=["a LoRA", "another task", "nothing"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(UnusableModelError, match="not a whole Stable Diffusion 1, 2 or XL"):
        load_pipeline(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("first_stage_model.", "lacks tensors that a sd1 model has"),
        ("first_stage_model.decoder.mid.block_1.conv1.bias", "vae lacks 1 of its"),
        ("model.diffusion_model.out.2.bias", "unet lacks 1 of its"),
        ("cond_stage_model.", "not a whole Stable Diffusion"),
    ],
)
def test_a_file_that_lacks_a_part_is_refused(tmp_path: Path, prefix: str, words: str) -> None:
    tensors = original_layout.tensors_of(original_layout.pipeline("sd1"))
    rest = {name: tensor.contiguous() for name, tensor in tensors.items() if not name.startswith(prefix)}
    save_file(rest, tmp_path / "model.safetensors")
    with pytest.raises(UnusableModelError, match=words):
        load_pipeline(tmp_path / "model.safetensors")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = original_layout.write(original_layout.pipeline("sd1"), tmp_path / "model.safetensors")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnusableModelError, match=r"model\.safetensors is not a whole safetensors file"):
        load_pipeline(path)
