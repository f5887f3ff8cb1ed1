from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.models.errors import UnusableModelError
from inference.models.safetensors_file import Header, read_header


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
