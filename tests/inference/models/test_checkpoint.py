from pathlib import Path
from typing import Any

import pytest
import torch

from inference.models.checkpoint import load_checkpoint
from inference.models.errors import UnusableModelError
from tests.inference.models.pickle_files import CustomObject, RunsACommand, save


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin"])
def test_the_state_dict_and_the_global_step_are_read(tmp_path: Path, suffix: str) -> None:
    path = save({"state_dict": {"a": torch.ones(2)}, "global_step": 7}, tmp_path / f"a{suffix}")
    content = load_checkpoint(path)
    assert content["a"].tolist() == [1, 1]
    assert content["global_step"] == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            lambda path: {"a": RunsACommand(path)},
            r"is dangerous and was not loaded: unpickling it would call",
        ),
        (lambda _: {"a": CustomObject()}, "has objects other than tensors and plain values"),
        (lambda _: [torch.ones(2)], "has no state dict"),
    ],
    ids=["dangerous", "custom object", "list"],
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
        (b"\x80\x02garbage", "(could not be scanned|has objects|is truncated or damaged)"),
    ],
)
def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(UnusableModelError, match=rf"model\.ckpt {message}"):
        load_checkpoint(path)
