import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from operations.doctor.safetensors_header import InvalidHeaderError, count_tensors, header_length
from tests.conftest import ROOT

DTYPES = st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint16, np.int64, np.bool_])
SHAPES = st.lists(st.integers(0, 4), max_size=3)


def tensors_of(content: bytes) -> int:
    length = header_length(content[:8], len(content))
    return count_tensors(content[8 : 8 + length], len(content))


def file_with(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), st.tuples(DTYPES, SHAPES)))
def test_all_files_of_the_safetensors_library_are_accepted(kinds: dict[str, Any]) -> None:
    kinds.pop("__metadata__", None)
    tensors = {name: np.zeros(shape, dtype) for name, (dtype, shape) in kinds.items()}
    content = save(tensors, metadata={"format": "pt"})
    assert tensors_of(content) == len(tensors)


@given(st.data())
def test_a_file_that_is_truncated_anywhere_is_rejected(data: st.DataObject) -> None:
    content = save({"weight": np.ones((3, 4), np.float16), "bias": np.ones(4, np.float32)})
    length = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InvalidHeaderError):
        tensors_of(content[:length])


def test_the_demo_model_is_accepted() -> None:
    content = (ROOT / "inference/demo_model/unet/diffusion_pytorch_model.safetensors").read_bytes()
    assert tensors_of(content) > 100


TENSOR = {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is too short \(0 bytes\)"),
        (b"PK\x03\x04 a pickled checkpoint", "is not a safetensors file"),
        (file_with({"t": TENSOR}, b"abc"), "header describes"),
        (file_with({"t": TENSOR}, b"abcde"), "header describes"),
        (file_with({"t": TENSOR}, b"abcd")[:20], "ends inside its header"),
        (file_with(b"{not json", b""), "has a damaged header"),
        (file_with([1], b""), "has a damaged header"),
        (file_with({"t": {"dtype": "F16"}}, b""), "has a damaged header"),
        (file_with({"t": {**TENSOR, "shape": [-2]}}, b"abcd"), "has a damaged header"),
        (file_with({"t": {**TENSOR, "dtype": "F17"}}, b"abcd"), "of the unknown dtype F17"),
        (file_with({"t": {**TENSOR, "shape": [3]}}, b"abcd"), "a wrong size or offset of the tensor t"),
        (
            file_with({"t": {**TENSOR, "data_offsets": [1, 5]}}, b"abcde"),
            "a wrong size or offset of the tensor t",
        ),
    ],
)
def test_an_invalid_file_is_rejected_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(InvalidHeaderError, match=message):
        tensors_of(content)
