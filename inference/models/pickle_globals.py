"""The globals that a PyTorch pickle may refer to, and their replacements; nothing is imported."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from inference.models.pickle_errors import PickleRejectedError, PickleRejection

_MAX_DIMENSIONS = 16
_MAX_NAME_LENGTH = 100

_STORAGES = {
    "Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16,
    "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
    "Bool": torch.bool, "ComplexDouble": torch.complex128, "ComplexFloat": torch.complex64,
}  # fmt: skip

_IGNORED = re.compile(
    r"pytorch_lightning\.[\w.]+|numpy\.(_?core\.multiarray\.scalar|dtype)|_codecs\.encode|torch\.device"
    r"|collections\.Counter|(builtins|__builtin__)\.(bytearray|set|complex)"
)
"""Training state and other values that are not weights."""


class Placeholder:
    """Replaces an object of an ignored class."""


class ParameterDict(Placeholder):
    """Replaces a `torch.nn.ParameterDict`.

    Attributes:
        parameters: a part of its state; not copied, since a file could ask for any number of copies.
    """

    parameters: Mapping[Any, Any] = {}


@dataclass(frozen=True)
class StorageType:
    """A class of storages."""

    dtype: torch.dtype


class Storage(NamedTuple):
    """A reference to a storage: the bytes of one tensor or several.

    Attributes:
        key: its name in the file.
        dtype: of the elements.
        numel: number of elements.
    """

    key: str
    dtype: torch.dtype
    numel: int

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.numel * self.dtype.itemsize


class TensorView(NamedTuple):
    """A tensor whose data are not assigned yet.

    Attributes:
        tensor: empty, with the right dtype.
        storage: with the data.
        offset: of the first element, in elements, as the strides.
        shape: of the tensor.
        stride: of each dimension.
    """

    tensor: torch.Tensor
    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


Call = Callable[[tuple[Any, ...]], Any]
"""Replaces a class or a function; called with the arguments as one tuple."""


@dataclass(frozen=True)
class Function:
    """A class or a function that a pickle may call."""

    call: Call


def find_global(module: str, name: str) -> Any:
    """The replacement of a class, a function or a constant.

    Raises:
        PickleRejectedError: it is none of those of tensors and plain values.
    """
    full_name = f"{module}.{name}"
    if full_name in _GLOBALS:
        return _GLOBALS[full_name]
    if _IGNORED.fullmatch(full_name):
        return Function(lambda _: Placeholder())
    raise PickleRejectedError(PickleRejection.FORBIDDEN, [full_name[:_MAX_NAME_LENGTH]])


def damaged() -> PickleRejectedError:
    """The error of a pickle that is not as torch.save writes it."""
    return PickleRejectedError(PickleRejection.DAMAGED)


def _view(storage: Any, offset: Any, shape: Any, stride: Any, dtype: Any) -> TensorView:
    is_valid = (
        isinstance(storage, Storage)
        and isinstance(dtype, torch.dtype)
        and isinstance(shape, tuple)
        and isinstance(stride, tuple)
        and len(shape) == len(stride) <= _MAX_DIMENSIONS
        and all(type(number) is int and number >= 0 for number in (offset, *shape, *stride))
    )
    if not is_valid:
        raise damaged()
    return TensorView(torch.empty(0, dtype=dtype), storage, offset, shape, stride)


def _tensor(arguments: tuple[Any, ...]) -> TensorView:
    """`_rebuild_tensor` and `_rebuild_tensor_v2`."""
    storage, offset, shape, stride, *others = arguments
    if others[2:3] and others[2]:  # the conjugate or the negative bit
        raise damaged()
    return _view(storage, offset, shape, stride, getattr(storage, "dtype", None))


def _tensor_v3(arguments: tuple[Any, ...]) -> TensorView:
    """For dtypes that have no class of storages."""
    storage, offset, shape, stride, _, _, dtype, *metadata = arguments
    if any(metadata):
        raise damaged()
    return _view(storage, offset, shape, stride, dtype)


def _parameter(arguments: tuple[Any, ...]) -> torch.Tensor:
    tensor = arguments[0]
    if not isinstance(tensor, torch.Tensor):
        raise damaged()
    return tensor


def _subclass(arguments: tuple[Any, ...]) -> TensorView:
    """`_rebuild_from_type_v2`: a tensor with attributes, which are ignored."""
    function, _, tensor_arguments, _ = arguments
    if function not in (_TENSOR, _TENSOR_V3) or not isinstance(tensor_arguments, tuple):
        raise damaged()
    view: TensorView = function.call(tensor_arguments)
    return view


def _dictionary(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:  # written by Python 2 alone, as a list of pairs
        raise damaged()
    return {}


def _size(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    (shape,) = arguments
    if not isinstance(shape, tuple):
        raise damaged()
    return shape


_TENSOR, _TENSOR_V3, _PARAMETER = Function(_tensor), Function(_tensor_v3), Function(_parameter)
_GLOBALS: dict[str, Any] = {
    "collections.OrderedDict": Function(_dictionary),
    "torch.nn.modules.container.ParameterDict": Function(lambda _: ParameterDict()),
    "torch.Size": Function(_size),
    "torch._utils._rebuild_tensor": _TENSOR,
    "torch._utils._rebuild_tensor_v2": _TENSOR,
    "torch._utils._rebuild_tensor_v3": _TENSOR_V3,
    "torch._utils._rebuild_parameter": _PARAMETER,
    "torch._utils._rebuild_parameter_with_state": _PARAMETER,
    "torch._tensor._rebuild_from_type_v2": Function(_subclass),
    "torch.Tensor": Placeholder(),
    "torch.nn.parameter.Parameter": Placeholder(),
    "torch.storage.UntypedStorage": StorageType(torch.uint8),
    **{f"torch.{name}Storage": StorageType(dtype) for name, dtype in _STORAGES.items()},
    **{
        f"torch.{name}": value
        for name, value in vars(torch).items()
        if isinstance(value, torch.dtype) and not name.startswith("q")
    },
}
