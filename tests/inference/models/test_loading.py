import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline

from inference.models.components import Component
from inference.models.errors import UnusableModelError
from inference.models.loading import default_device_and_dtype, load_pipeline, load_refiner
from tests.inference import tiny_models
from tests.inference.models import ldm_layout
from tests.inference.models.json_files import edit
from tests.waiting import LIMIT_S

CPU = torch.device("cpu")
COMPONENTS = ("unet", "vae", "text_encoder", "text_encoder_2")


@pytest.mark.parametrize("family", ["sd", "sdxl", "inpainting"])
def test_the_pipeline_equals_that_of_diffusers(tmp_path: Path, demo_model: Path, family: str) -> None:
    getattr(tiny_models, family)(demo_model).save_pretrained(tmp_path)
    loaded = load_pipeline(tmp_path)
    expected = DiffusionPipeline.from_pretrained(tmp_path, local_files_only=True)
    assert type(loaded) is type(expected)
    settings = {name: value for name, value in expected.config.items() if not name.startswith("_")}
    assert {name: value for name, value in loaded.config.items() if not name.startswith("_")} == settings
    assert loaded.components.keys() == expected.components.keys()
    assert dict(loaded.scheduler.config) == dict(expected.scheduler.config)
    for name in COMPONENTS:
        if getattr(expected, name, None) is not None:
            tensors, other = getattr(loaded, name).state_dict(), getattr(expected, name).state_dict()
            assert tensors.keys() == other.keys()
            assert all(torch.equal(tensors[key], other[key]) for key in other)
            assert not getattr(loaded, name).training


@pytest.mark.parametrize(("cuda", "bfloat16", "expected"), [
    (False, False, ("cpu", torch.float32)),
    (True, True, ("cuda", torch.bfloat16)),
    (True, False, ("cuda", torch.float16)),
])  # fmt: skip
def test_the_dtype_depends_on_the_device(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, bfloat16: bool, expected: tuple[str, torch.dtype]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    device, dtype = default_device_and_dtype()
    assert (device.type, dtype) == expected


def test_the_refiner_of_a_base_model_is_loaded(model: Path) -> None:
    assert load_refiner(model, device=CPU, dtype=torch.float32) is None
    ldm_layout.pipeline("sdxl_refiner").save_pretrained(model / "refiner")
    refiner = load_refiner(model, device=CPU, dtype=torch.float32)
    assert refiner.config.requires_aesthetics_score
    assert refiner.text_encoder is None


@pytest.mark.parametrize("name", ["unet", "vae", "text_encoder"])
def test_truncated_weights_are_refused(model: Path, name: str) -> None:
    path = next((model / name).glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UnusableModelError, match=f"{path.name} is not a complete safetensors file"):
        load_pipeline(model)


def test_weights_of_another_shape_are_refused(model: Path) -> None:
    edit(model / "unet/config.json", cross_attention_dim=64)
    message = r"unet: \d+ of \d+ tensors are missing or have another shape"
    with pytest.raises(UnusableModelError, match=message):
        load_pipeline(model)


def test_another_kind_of_pipeline_is_loaded_by_diffusers(model: Path) -> None:
    edit(model / "model_index.json", _class_name="StableDiffusionPAGPipeline")
    assert type(load_pipeline(model)).__name__ == "StableDiffusionPAGPipeline"
    (model / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(UnusableModelError, match="not a complete diffusers directory"):
        load_pipeline(model)


def test_another_kind_of_pipeline_with_too_many_layers_is_refused(model: Path) -> None:
    edit(model / "model_index.json", _class_name="StableDiffusionPAGPipeline")
    edit(model / "unet/config.json", layers_per_block=10**9)
    with pytest.raises(UnusableModelError, match="not a complete diffusers directory"):
        load_pipeline(model)


def test_an_unknown_pipeline_class_is_refused(model: Path) -> None:
    edit(model / "model_index.json", _class_name="NoSuchPipeline")
    with pytest.raises(UnusableModelError, match="not a complete diffusers directory"):
        load_pipeline(model)


def test_components_are_loaded_in_parallel(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits until all three have started."""
    barrier = threading.Barrier(3, timeout=LIMIT_S)
    load = Component.load

    def wait_and_load(component: Component, device: torch.device, dtype: torch.dtype) -> Any:
        barrier.wait()
        return load(component, device, dtype)

    monkeypatch.setattr(Component, "load", wait_and_load)
    assert isinstance(load_pipeline(model), StableDiffusionPipeline)
