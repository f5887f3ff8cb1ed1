"""Validation of a safetensors file by its header, a few KB instead of GB.

The format: the header's length in eight bytes, little endian; the header, a JSON object by tensor name; the
tensors' bytes without gaps.
"""

import json
from math import prod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 100_000_000
"""The longest header that the safetensors library accepts."""

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64,
}  # fmt: skip

_Size = Annotated[int, Field(ge=0)]


class InvalidHeaderError(ValueError):
    """The file is not a valid safetensors file; the message gives the reason."""


class _Tensor(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    dtype: str
    shape: list[_Size]
    data_offsets: Annotated[list[_Size], Field(min_length=2, max_length=2)]


_TENSORS = TypeAdapter(dict[str, _Tensor])


def header_length(start: bytes, file_size: int) -> int:
    """The header's length in bytes.

    Args:
        start: the file's first eight bytes.
        file_size: the size of the file in bytes.

    Raises:
        InvalidHeaderError: the length is not valid for the file.
    """
    if len(start) < LENGTH_BYTES:
        raise InvalidHeaderError(f"is too short ({file_size} bytes)")
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES:
        raise InvalidHeaderError("is not a safetensors file")
    if LENGTH_BYTES + length > file_size:
        raise InvalidHeaderError(f"ends inside its header, at {file_size} of {LENGTH_BYTES + length} bytes")
    return length


def count_tensors(header: bytes, file_size: int) -> int:
    """The number of tensors in the file.

    Args:
        header: the JSON header without its length.
        file_size: the size of the file in bytes.

    Raises:
        InvalidHeaderError: the header is damaged or does not match the size of the file.
    """
    try:
        document = json.loads(header)
        if isinstance(document, dict):
            document.pop("__metadata__", None)
        tensors = _TENSORS.validate_python(document)
    except ValueError as error:
        raise InvalidHeaderError("has a damaged header") from error
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        first, last = tensor.data_offsets
        if tensor.dtype not in _BITS:
            raise InvalidHeaderError(f"has a tensor {name} of the unknown dtype {tensor.dtype}")
        if first != end or last - first != prod(tensor.shape) * _BITS[tensor.dtype] // 8:
            raise InvalidHeaderError(f"has a header with a wrong size or offset of the tensor {name}")
        end = last
    expected = LENGTH_BYTES + len(header) + end
    if expected != file_size:
        raise InvalidHeaderError(f"has {file_size} bytes, but its header describes {expected}")
    return len(tensors)
