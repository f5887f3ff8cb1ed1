"""State dicts of the components of a diffusers directory."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.models.errors import UnusableModelError
from inference.models.weights import StateDict, load_state_dict, read_component

CPU = torch.device("cpu")
TENSORS = {"a": torch.ones(2), "b": torch.zeros(3), "steps": torch.tensor([7])}


def write(directory: Path, **files: StateDict) -> Path:
    for name, tensors in files.items():
        save_file(tensors, directory / f"{name}.safetensors")
    return directory


def read(directory: Path, dtype: torch.dtype = torch.float32) -> StateDict:
    return read_component(directory, CPU, dtype)


def test_tensors_are_cast_except_integers(tmp_path: Path) -> None:
    loaded = read(write(tmp_path, model=TENSORS), torch.float16)
    assert {name: tensor.dtype for name, tensor in loaded.items()} == {
        "a": torch.float16,
        "b": torch.float16,
        "steps": torch.int64,
    }


def test_all_shards_are_read(tmp_path: Path) -> None:
    names = sorted(TENSORS)
    shards = {
        f"model-0000{number}-of-00002": {name: TENSORS[name] for name in half}
        for number, half in enumerate((names[::2], names[1::2]), 1)
    }
    assert read(write(tmp_path, **shards)).keys() == TENSORS.keys()


def test_the_fp16_variant_is_preferred(tmp_path: Path) -> None:
    other = {name: tensor + 1 for name, tensor in TENSORS.items()}
    loaded = read(write(tmp_path, model=TENSORS, **{"model.fp16": other}))
    assert torch.equal(loaded["a"], other["a"])


def test_other_variants_are_ignored(tmp_path: Path) -> None:
    other = {name: tensor + 1 for name, tensor in TENSORS.items()}
    loaded = read(write(tmp_path, model=TENSORS, **{"model.non_ema": other}))
    assert torch.equal(loaded["a"], TENSORS["a"])


def test_pickled_weights_alone_are_refused(model: Path) -> None:
    path = model / "unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    with pytest.raises(
        UnusableModelError, match="unet has no safetensors weights, and other formats are not"
    ):
        read(model / "unet")


def test_missing_tensors_and_other_shapes_are_refused() -> None:
    with torch.device("meta"):
        module = torch.nn.Linear(2, 2)
    tensors = {"weight": torch.zeros(2, 3)}
    message = "unet: 2 of 2 tensors are missing or have another shape, among them weight"
    with pytest.raises(UnusableModelError, match=message):
        load_state_dict(module, tensors, "unet")
