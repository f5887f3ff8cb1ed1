"""Diffusers directories, loaded part by part."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from inference.diffusion.modules.autoencoder import Autoencoder
from inference.models.errors import UnusableModelError
from inference.models.loading import load_pipeline, load_refiner, placement
from inference.models.parts import Part
from tests.inference import tiny_models
from tests.inference.generations import landscape
from tests.inference.models import original_layout

CPU = torch.device("cpu")
HEAVY = ("unet", "vae", "text_encoder", "text_encoder_2")


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("family", ["sd", "sdxl", "inpainting"])
def test_a_directory_is_loaded_as_diffusers_loads_it(tmp_path: Path, demo_model: Path, family: str) -> None:
    getattr(tiny_models, family)(demo_model).save_pretrained(tmp_path)
    ours = load_pipeline(tmp_path)
    theirs = DiffusionPipeline.from_pretrained(tmp_path, local_files_only=True)
    assert type(ours) is type(theirs)
    theirs_said = {name: value for name, value in theirs.config.items() if not name.startswith("_")}
    assert {name: value for name, value in ours.config.items() if not name.startswith("_")} == theirs_said
    assert ours.components.keys() == theirs.components.keys()
    assert dict(ours.scheduler.config) == dict(theirs.scheduler.config)
    for name in HEAVY:
        if getattr(theirs, name, None) is not None:
            mine, other = getattr(ours, name).state_dict(), getattr(theirs, name).state_dict()
            assert mine.keys() == other.keys()
            assert all(torch.equal(mine[key], other[key]) for key in other)
            assert not getattr(ours, name).training


def test_what_examines_pictures_is_not_loaded(model: Path) -> None:
    edit(
        model / "model_index.json",
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        feature_extractor=["transformers", "CLIPImageProcessor"],
        requires_safety_checker=True,
    )
    pipeline = load_pipeline(model)
    assert pipeline.safety_checker is None
    assert pipeline.feature_extractor is None


def test_older_names_of_the_autoencoders_attention_are_understood(model: Path) -> None:
    path = model / "vae/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    today, older = ("to_q", "to_k", "to_v", "to_out.0"), ("query", "key", "value", "proj_attn")
    renamed = {}
    for name, tensor in tensors.items():
        for new, old in zip(today, older, strict=True):
            name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = tensor
    assert renamed.keys() != tensors.keys()
    save_file(renamed, path)
    loaded = load_pipeline(model).vae.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_weights_in_several_files_are_read_together(model: Path) -> None:
    whole = model / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(whole)
    whole.unlink()
    names = sorted(tensors)
    for number, half in enumerate((names[::2], names[1::2]), 1):
        path = model / f"unet/diffusion_pytorch_model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in half}, path)
    loaded = load_pipeline(model).unet.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_weights_of_another_kind_beside_the_models_own_are_left_alone(model: Path) -> None:
    own = model / "unet/diffusion_pytorch_model.safetensors"
    other = {name: tensor + 1 for name, tensor in load_file(own).items()}
    save_file(other, own.with_name("diffusion_pytorch_model.non_ema.safetensors"))
    name, tensor = next(iter(load_file(own).items()))
    assert torch.equal(load_pipeline(model).unet.state_dict()[name], tensor)


@pytest.mark.parametrize(("cuda", "bfloat16", "expected"), [
    (False, False, ("cpu", torch.float32)),
    (True, True, ("cuda", torch.bfloat16)),
    (True, False, ("cuda", torch.float16)),
])  # fmt: skip
def test_the_device_decides_the_precision(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, bfloat16: bool, expected: tuple[str, torch.dtype]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    device, dtype = placement()
    assert (device.type, dtype) == expected


@pytest.mark.parametrize(
    ("family", "asked", "kept"),
    [
        ("sd", torch.float16, torch.float16),
        ("sdxl", torch.float16, torch.float32),
        ("sdxl", torch.bfloat16, torch.bfloat16),
    ],
)
def test_where_half_precision_is_too_small_for_an_autoencoder_it_is_kept_whole(
    demo_model: Path, tmp_path: Path, family: str, asked: torch.dtype, kept: torch.dtype
) -> None:
    """The engine still takes and gives latents of the UNet's precision."""
    getattr(tiny_models, family)(demo_model).save_pretrained(tmp_path)
    pipeline = load_pipeline(tmp_path, device=CPU, dtype=asked)
    assert (pipeline.unet.dtype, pipeline.vae.dtype) == (asked, kept)
    autoencoder = Autoencoder(pipeline)
    with torch.inference_mode():
        latents = autoencoder.encode(autoencoder.pixels(landscape()), pytest.fail)(torch.Generator("cpu"))
        assert autoencoder.decode(latents, pytest.fail)().size == (64, 64)
    assert latents.dtype == asked


def test_a_refiner_beside_the_base_is_loaded_too(model: Path) -> None:
    assert load_refiner(model, device=CPU, dtype=torch.float32) is None
    original_layout.pipeline("sdxl_refiner").save_pretrained(model / "refiner")
    refiner = load_refiner(model, device=CPU, dtype=torch.float32)
    assert refiner.config.requires_aesthetics_score
    assert refiner.text_encoder is None


@pytest.mark.parametrize("name", ["unet", "vae", "text_encoder"])
def test_a_truncated_part_is_refused(model: Path, name: str) -> None:
    path = next((model / name).glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UnusableModelError, match=f"{path.name} is not a whole safetensors file"):
        load_pipeline(model)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unet", r"unet/config\.json is missing"),
        ("vae", r"vae/config\.json is missing"),
        ("text_encoder", r"text_encoder/config\.json is missing"),
        ("tokenizer", "tokenizer is missing or damaged"),
        ("scheduler", "scheduler is missing or damaged"),
    ],
)
def test_a_part_that_is_missing_is_named(model: Path, name: str, words: str) -> None:
    shutil.rmtree(model / name)
    with pytest.raises(UnusableModelError, match=words):
        load_pipeline(model)


def test_weights_in_pickles_alone_are_not_read_from_a_directory(model: Path) -> None:
    path = model / "unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    with pytest.raises(UnusableModelError, match="unet has no safetensors weights, and no others are loaded"):
        load_pipeline(model)


def test_weights_of_another_shape_are_refused(model: Path) -> None:
    edit(model / "unet/config.json", cross_attention_dim=64)
    with pytest.raises(
        UnusableModelError, match=r"unet lacks \d+ of its \d+ tensors, or has them in another shape"
    ):
        load_pipeline(model)


def test_a_configuration_that_makes_no_sense_is_refused(model: Path) -> None:
    edit(model / "unet/config.json", down_block_types=["DownBlock2D"])
    with pytest.raises(UnusableModelError, match=r"unet/config\.json describes nothing that can be built"):
        load_pipeline(model)


def test_a_pipeline_of_another_kind_is_loaded_as_diffusers_does(model: Path) -> None:
    edit(model / "model_index.json", _class_name="StableDiffusionPAGPipeline")
    assert type(load_pipeline(model)).__name__ == "StableDiffusionPAGPipeline"
    (model / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(UnusableModelError, match="not a whole diffusers directory"):
        load_pipeline(model)


def test_a_pipeline_that_nobody_knows_is_refused(model: Path) -> None:
    edit(model / "model_index.json", _class_name="NobodysPipeline")
    with pytest.raises(UnusableModelError, match="not a whole diffusers directory"):
        load_pipeline(model)


def test_parts_are_read_beside_each_other(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the others to have begun."""
    barrier = threading.Barrier(3, timeout=60)
    load = Part.load

    def wait_and_load(part: Part, device: torch.device, dtype: torch.dtype) -> Any:
        barrier.wait()
        return load(part, device, dtype)

    monkeypatch.setattr(Part, "load", wait_and_load)
    assert isinstance(load_pipeline(model), StableDiffusionPipeline)
