import pickle
from pathlib import Path

import pytest
import torch

from inference.models.safe_pickle import PickleRejectedError, PickleRejection, read_pickle
from tests.inference.models.pickle_files import (
    PICKLE_FORMATS,
    CustomObject,
    RunsACommand,
    save,
    save_with_callbacks,
)


def rejection(path: Path) -> PickleRejectedError:
    with pytest.raises(PickleRejectedError) as caught:
        read_pickle(path)
    return caught.value


@PICKLE_FORMATS
def test_tensors_and_plain_values_are_read(tmp_path: Path, zipped: bool) -> None:
    content = read_pickle(save({"a": torch.ones(2), "b": [1, "text"]}, tmp_path / "a.pt", zipped=zipped))
    assert content["a"].tolist() == [1, 1]
    assert content["b"] == [1, "text"]


@PICKLE_FORMATS
def test_a_pickle_that_would_run_a_command_is_rejected_and_not_run(tmp_path: Path, zipped: bool) -> None:
    created = tmp_path / "created"
    content = {"state_dict": {"a": torch.ones(2)}, "callback": RunsACommand(created)}
    path = save(content, tmp_path / "model.ckpt", zipped=zipped)
    error = rejection(path)
    assert error.reason is PickleRejection.DANGEROUS
    assert [call.partition(".")[2] for call in error.calls] == ["system"]
    assert not created.exists()
    torch.load(path, weights_only=False)  # proves that the file is harmful
    assert created.exists()


def test_a_pickle_that_is_not_from_torch_is_scanned_too(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(RunsACommand(tmp_path / "created")))
    assert rejection(path).reason is PickleRejection.DANGEROUS
    assert not (tmp_path / "created").exists()


@PICKLE_FORMATS
def test_a_custom_object_is_rejected(tmp_path: Path, zipped: bool) -> None:
    path = save({"a": torch.ones(2), "b": CustomObject()}, tmp_path / "model.ckpt", zipped=zipped)
    assert rejection(path).reason is PickleRejection.NOT_ONLY_TENSORS


def test_callbacks_of_pytorch_lightning_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_with_callbacks({"a": torch.ones(2)}, tmp_path / "a.ckpt", monkeypatch)
    assert read_pickle(path)["a"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [b"", b"no pickle at all"])
def test_another_file_format_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    assert rejection(path).reason is PickleRejection.NOT_A_PICKLE


@PICKLE_FORMATS
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.99])
def test_a_truncated_pickle_is_rejected(tmp_path: Path, zipped: bool, share: float) -> None:
    path = save({f"t{i}": torch.ones(100) for i in range(20)}, tmp_path / "model.ckpt", zipped=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert rejection(path).reason is not PickleRejection.DANGEROUS
