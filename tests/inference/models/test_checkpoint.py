"""Pickles give tensors and nothing else, whatever they hold."""

import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.models.checkpoint import load_pickle
from inference.models.errors import UnusableModelError

ZIPPED = pytest.mark.parametrize("zipped", [True, False], ids=["today's", "older"])


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


def save(content: Any, path: Path, *, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@ZIPPED
@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin"])
def test_tensors_are_read(tmp_path: Path, zipped: bool, suffix: str) -> None:
    path = save(
        {"state_dict": {"a": torch.ones(2)}, "global_step": 7}, tmp_path / f"a{suffix}", zipped=zipped
    )
    content = load_pickle(path)
    assert content["a"].tolist() == [1, 1]
    assert content["global_step"] == 7


@ZIPPED
def test_a_malicious_pickle_is_refused_by_what_it_would_call_and_not_run(
    tmp_path: Path, zipped: bool
) -> None:
    evidence = tmp_path / "evidence"
    content = {"state_dict": {"a": torch.ones(2)}, "callback": Malicious(evidence)}
    path = save(content, tmp_path / "model.ckpt", zipped=zipped)
    with pytest.raises(
        UnusableModelError, match=r"model\.ckpt is dangerous, and was not read: it would call \w+\.system"
    ):
        load_pickle(path)
    assert not evidence.exists()
    torch.load(path, weights_only=False)  # as careless readers do
    assert evidence.exists()


def test_a_bare_malicious_pickle_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Malicious(tmp_path / "evidence")))
    with pytest.raises(UnusableModelError, match="is dangerous"):
        load_pickle(path)
    assert not (tmp_path / "evidence").exists()


class Harmless:
    """Nobody knows that it is."""


@ZIPPED
def test_what_only_its_maker_knows_is_not_built(tmp_path: Path, zipped: bool) -> None:
    path = save({"a": torch.ones(2), "b": Harmless()}, tmp_path / "model.ckpt", zipped=zipped)
    with pytest.raises(UnusableModelError, match="holds more than tensors"):
        load_pickle(path)


def test_what_training_has_left_in_it_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("pytorch_lightning.callbacks")
    callback = type("ModelCheckpoint", (), {"__module__": module.__name__})
    module.ModelCheckpoint = callback  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pytorch_lightning", types.ModuleType("pytorch_lightning"))
        patch.setitem(sys.modules, module.__name__, module)
        path = save(
            {"state_dict": {"a": torch.ones(2)}, "callbacks": {callback: {"best": callback()}}},
            tmp_path / "a.ckpt",
        )
    assert load_pickle(path)["a"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [b"", b"no pickle at all", b"\x80\x02garbage"])
def test_what_is_no_pickle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(
        UnusableModelError, match=r"model\.ckpt (cannot be examined|cannot be read|holds more)"
    ):
        load_pickle(path)


@ZIPPED
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.99])
def test_a_truncated_pickle_is_refused(tmp_path: Path, zipped: bool, share: float) -> None:
    path = save({f"t{i}": torch.ones(100) for i in range(20)}, tmp_path / "model.ckpt", zipped=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(
        UnusableModelError, match=r"model\.ckpt (cannot be examined|cannot be read|holds more)"
    ):
        load_pickle(path)


def test_a_pickle_of_something_else_than_named_tensors_is_refused(tmp_path: Path) -> None:
    path = save([torch.ones(2)], tmp_path / "model.ckpt")
    with pytest.raises(UnusableModelError, match="holds no tensors by name"):
        load_pickle(path)
