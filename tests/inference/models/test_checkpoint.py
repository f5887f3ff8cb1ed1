from pathlib import Path
from typing import Any

import pytest
import torch

from inference.models.checkpoint import load_checkpoint
from inference.models.errors import UnusableModelError
from tests.inference.models.hostile_files import self_containing
from tests.inference.models.pickle_files import CustomObject, RunsACommand, save


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin"])
def test_the_state_dict_and_the_global_step_are_read(tmp_path: Path, suffix: str) -> None:
    path = save({"state_dict": {"a": torch.ones(2)}, "global_step": 7}, tmp_path / f"a{suffix}")
    content = load_checkpoint(path)
    assert content["a"].tolist() == [1, 1]
    assert content["global_step"] == 7


def test_nested_state_dicts_are_unwrapped(tmp_path: Path) -> None:
    content = {"state_dict": {"state_dict": {"a": torch.ones(2)}, "global_step": 7}}
    loaded = load_checkpoint(save(content, tmp_path / "a.ckpt"))
    assert loaded.keys() == {"a", "global_step"}


def test_a_checkpoint_that_contains_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModelError, match="has no state dict"):
        load_checkpoint(self_containing(tmp_path / "a.ckpt"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            lambda path: {"a": RunsACommand(path)},
            r"was not loaded: it refers to posix\.system, and only tensors and plain values are read",
        ),
        (
            lambda _: {"a": CustomObject()},
            r"was not loaded: it refers to tests\.inference\.models\.pickle_files\.CustomObject",
        ),
        (lambda _: [torch.ones(2)], "has no state dict"),
        (lambda _: {"state_dict": {1: torch.ones(2)}}, "has a state dict with keys that are not text"),
        (lambda _: {"state_dict": {b"a": torch.ones(2)}}, "has a state dict with keys that are not text"),
        (lambda _: {(1, 2): torch.ones(2)}, "was not loaded: it has a dictionary with keys that are neither"),
        (
            lambda _: {"a": torch.ones(1).expand(1 << 40)},
            "was not loaded: it describes tensors that are larger",
        ),
    ],
    ids=[
        "dangerous",
        "custom object",
        "list",
        "integer keys",
        "bytes keys",
        "tuple keys",
        "tensor without data",
    ],
)
def test_an_unusable_pickle_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    path = save(content(tmp_path / "created"), tmp_path / "model.ckpt")
    with pytest.raises(
        UnusableModelError, match=rf"model\.ckpt {message}.*use the model's \.safetensors file"
    ):
        load_checkpoint(path)
    assert not (tmp_path / "created").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no pickle at all", "is truncated, or not a PyTorch checkpoint, and was not loaded; download it"),
        (b"\x80\x02garbage", "is truncated or damaged, and was not loaded; download it"),
    ],
)
def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(UnusableModelError, match=rf"model\.ckpt {message}"):
        load_checkpoint(path)
