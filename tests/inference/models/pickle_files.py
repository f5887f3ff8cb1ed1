"""Writes PyTorch pickles for tests."""

import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

PICKLE_FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip archive", "bare pickle"])


class RunsACommand:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


class CustomObject:
    """Neither a tensor nor a plain value."""


def save(content: Any, path: Path, *, zipped: bool = True) -> Path:
    """Saves the content as torch.save does since 1.6, or as it did before."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def save_with_callbacks(content: dict[str, Any], path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Saves the content with the state of PyTorch Lightning callbacks, which need not be installed."""
    module = types.ModuleType("pytorch_lightning.callbacks")
    callback = type("ModelCheckpoint", (), {"__module__": module.__name__})
    module.ModelCheckpoint = callback  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pytorch_lightning", types.ModuleType("pytorch_lightning"))
        patch.setitem(sys.modules, module.__name__, module)
        return save({**content, "callbacks": {callback: {"best": callback()}}}, path)
