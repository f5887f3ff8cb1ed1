from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.models.errors import UnusableModelError
from inference.models.safetensors_file import Header, read_header
from tests.inference.models.hostile_files import limited_memory, safetensors_with_header


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file({"a": torch.zeros(2, 3)}, tmp_path / "a.safetensors", {"key": "value"})
    return tmp_path / "a.safetensors"


def test_the_header_has_the_shapes_and_the_metadata(file: Path) -> None:
    assert read_header(file) == Header({"a": (2, 3)}, {"key": "value"})


@pytest.mark.parametrize("size", [-1, 20, 0])
def test_a_truncated_file_is_refused(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(UnusableModelError, match=r"a\.safetensors is not a complete safetensors file"):
        read_header(file)


EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


@pytest.mark.parametrize(
    "header", [dict.fromkeys(map(str, range(110_000)), EMPTY), {"__metadata__": {"a": "a" * 26_000_000}}],
    ids=["too many tensors", "too large a header"],
)  # fmt: skip
def test_a_large_header_is_refused(tmp_path: Path, header: object) -> None:
    path = safetensors_with_header(tmp_path / "a.safetensors", header)
    with pytest.raises(UnusableModelError, match=r"a\.safetensors has more than 100,000 tensors or"):
        read_header(path)


def test_many_tensors_are_read(tmp_path: Path) -> None:
    path = safetensors_with_header(tmp_path / "a.safetensors", dict.fromkeys(map(str, range(20_000)), EMPTY))
    assert len(read_header(path).shapes) == 20_000


@pytest.mark.parametrize("size", [0, 1 << 40, (1 << 64) - 1])
def test_a_header_size_beyond_the_file_is_refused_before_it_is_read(tmp_path: Path, size: int) -> None:
    path = safetensors_with_header(tmp_path / "a.safetensors", {"a": EMPTY}, size=size)
    with limited_memory(), pytest.raises(UnusableModelError, match="is not a complete safetensors file"):
        read_header(path)
