import pickle
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.safe_pickle import read_pickle
from tests.inference.models.pickle_files import (
    PICKLE_FORMATS,
    CustomObject,
    RunsACommand,
    save,
    save_with_callbacks,
)

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.bool),
]


def rejection(path: Path) -> PickleRejectedError:
    with pytest.raises(PickleRejectedError) as caught:
        read_pickle(path)
    return caught.value


@PICKLE_FORMATS
def test_tensors_and_plain_values_are_read(tmp_path: Path, zipped: bool) -> None:
    plain = {
        "text": "ä",
        "numbers": [1, -2, 1 << 40, 1 << 100, 0.5, True, None],
        "tuple": (),
        "b": ((1, 2), 3),
    }
    more = {"ordered": OrderedDict(a=1), 3: {}}
    content = read_pickle(save({**plain, **more, "a": torch.ones(2)}, tmp_path / "a.pt", zipped=zipped))
    assert content.pop("a").tolist() == [1, 1]
    assert content == {**plain, **more}


@PICKLE_FORMATS
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_of_every_dtype_are_read(tmp_path: Path, zipped: bool, dtype: torch.dtype) -> None:
    tensor = torch.arange(24).reshape(2, 3, 4).to(dtype)
    views = {"whole": tensor, "transposed": tensor.mT, "part": tensor[:, 1:2, ::2], "scalar": tensor[0, 0, 1]}
    content = read_pickle(
        save({"byte": torch.ones(1, dtype=torch.int8), **views}, tmp_path / "a.pt", zipped=zipped)
    )
    for name, expected in views.items():
        assert content[name].dtype is dtype
        assert content[name].stride() == expected.stride()
        assert content[name].tolist() == expected.tolist()


@PICKLE_FORMATS
def test_parameters_and_empty_tensors_are_read(tmp_path: Path, zipped: bool) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    content = read_pickle(save({"a": parameter, "b": torch.ones(0, 3)}, tmp_path / "a.pt", zipped=zipped))
    assert content["a"].tolist() == [1, 1]
    assert not content["a"].requires_grad
    assert content["b"].shape == (0, 3)


@PICKLE_FORMATS
def test_a_module_s_state_dict_is_read_as_by_torch(tmp_path: Path, zipped: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))
    path = save(
        {"params": module.state_dict(), "optimizer": {"state": {0: {}}}}, tmp_path / "a.pt", zipped=zipped
    )
    content, expected = read_pickle(path), torch.load(path, weights_only=True)
    assert content["params"].keys() == expected["params"].keys()
    assert all(torch.equal(content["params"][name], value) for name, value in expected["params"].items())


def test_tensors_that_share_data_are_read(tmp_path: Path) -> None:
    tensor = torch.arange(1000)
    content = read_pickle(save({"a": tensor, "b": tensor.view(10, 100)}, tmp_path / "a.pt"))
    assert content["a"].data_ptr() == content["b"].data_ptr()


@PICKLE_FORMATS
def test_a_pickle_that_would_run_a_command_is_rejected_and_not_run(tmp_path: Path, zipped: bool) -> None:
    created = tmp_path / "created"
    content = {"state_dict": {"a": torch.ones(2)}, "callback": RunsACommand(created)}
    path = save(content, tmp_path / "model.ckpt", zipped=zipped)
    error = rejection(path)
    assert error.reason is PickleRejection.FORBIDDEN
    assert [name.partition(".")[2] for name in error.names] == ["system"]
    assert not created.exists()
    torch.load(path, weights_only=False)  # proves that the file is harmful
    assert created.exists()


@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_is_not_from_torch_is_rejected_too(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(
        b"\x80\x02" * (protocol == 1) + pickle.dumps(RunsACommand(tmp_path / "created"), protocol)
    )
    error = rejection(path)
    assert error.reason is PickleRejection.FORBIDDEN
    assert error.names == ("posix.system",)
    path.write_bytes(pickle.dumps({"a": 1}, max(protocol, 2)))
    assert rejection(path).reason is PickleRejection.DAMAGED
    assert not (tmp_path / "created").exists()


@PICKLE_FORMATS
def test_a_custom_object_is_rejected(tmp_path: Path, zipped: bool) -> None:
    path = save({"a": torch.ones(2), "b": CustomObject()}, tmp_path / "model.ckpt", zipped=zipped)
    error = rejection(path)
    assert error.reason is PickleRejection.FORBIDDEN
    assert error.names == (f"{CustomObject.__module__}.CustomObject",)


@PICKLE_FORMATS
@pytest.mark.parametrize(
    "value", [torch.eye(2).to_sparse(), torch.ones(2, device="meta")], ids=["sparse", "meta"]
)
def test_tensors_other_than_plain_ones_are_rejected(
    tmp_path: Path, zipped: bool, value: torch.Tensor
) -> None:
    assert rejection(save({"a": value}, tmp_path / "a.pt", zipped=zipped)).reason is PickleRejection.FORBIDDEN


def test_callbacks_of_pytorch_lightning_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_with_callbacks({"a": torch.ones(2)}, tmp_path / "a.ckpt", monkeypatch)
    assert read_pickle(path)["a"].tolist() == [1, 1]


@PICKLE_FORMATS
def test_other_training_state_is_ignored(tmp_path: Path, zipped: bool) -> None:
    np = pytest.importorskip("numpy")
    state: dict[str, Any] = {
        "score": np.float64(1.5),
        "tags": {"x"},
        "raw": b"x",
        "milestones": Counter({2: 1}),
        "device": torch.device("cpu"),
    }
    content = read_pickle(save({**state, "a": torch.ones(2)}, tmp_path / "a.ckpt", zipped=zipped))
    assert content["a"].tolist() == [1, 1]


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
    assert rejection(path).reason in (PickleRejection.DAMAGED, PickleRejection.OVERSIZED)
