"""Interpretation of PyTorch's pickles, in time and memory linear in their size.

A few bytes can make Python's pickle and `torch.load(weights_only=True)` run for hours or allocate any
amount of memory: hashes of nested tuples, `bytearray(n)`, tensors without data. Here nothing is imported,
calls are replaced by those in `pickle_globals`, and opcodes are counted.
"""

import pickletools
from collections.abc import Callable
from io import BytesIO
from typing import Any

import torch

from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.pickle_globals import (
    Function,
    ParameterDict,
    Placeholder,
    Storage,
    StorageType,
    TensorView,
    damaged,
    find_global,
)

MAX_TENSORS = 100_000
MAX_OPCODES = 4_000_000
_MAX_GLOBALS = 10_000
"""Names of classes and functions, the slowest opcodes; torch.save writes each name once."""

_MAX_INTEGER_BITS = 128
_MAX_KEY_LENGTH = 1_000

_VALUES = {
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("SHORT_BINSTRING", "BINSTRING", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": Placeholder,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME"}


class PickleInterpreter:
    """Interprets the pickles of one file.

    Attributes:
        views: the tensors, in the order of the pickle; their data are to be assigned.
        storages: the storages that they refer to, by key.
    """

    def __init__(self, max_opcodes: int) -> None:
        self.views: list[TensorView] = []
        self.storages: dict[str, Storage] = {}
        self._remaining_opcodes = max_opcodes
        self._remaining_globals = _MAX_GLOBALS
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._operations: dict[str, Callable[[Any], None]] = {
            "MARK": lambda _: self._marks.append(len(self._stack)),
            "MEMOIZE": lambda _: self._put(len(self._memo)),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._put),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda index: self._stack.append(self._memo[index])),
            "GLOBAL": lambda names: self._find(*names.split(" ", 1)),
            "INST": lambda names: self._find_and_reject(*names.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self._find_from_stack(),
            **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda _: self._call()),
            "BUILD": lambda _: self._build(),
            "BINPERSID": lambda _: self._find_storage(),
            "TUPLE": lambda _: self._stack.append(tuple(self._pop_mark())),
            "APPEND": lambda _: self._extend([self._stack.pop()]),
            "APPENDS": lambda _: self._extend(self._pop_mark()),
            "SETITEM": lambda _: self._update(self._pop(2)),
            "SETITEMS": lambda _: self._update(self._pop_mark()),
        }

    def run(self, stream: BytesIO) -> Any:
        """The value of the next pickle in the stream.

        Raises:
            PickleRejectedError: it has too many opcodes or tensors, or refers to other objects.
            Exception: the pickle is damaged.
        """
        self._stack.clear()
        self._marks.clear()
        self._memo.clear()
        for opcode, argument, _ in pickletools.genops(stream):
            self._remaining_opcodes -= 1
            if self._remaining_opcodes < 0:
                raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
            name = opcode.name
            if name in self._operations:
                self._operations[name](argument)
            elif name in _VALUES:
                self._push_value(_CONSTANTS.get(name, argument))
            elif name in _EMPTY:
                self._stack.append(_EMPTY[name]())
            elif name in _TUPLES:
                self._stack.append(tuple(self._pop(_TUPLES[name])))
            elif name == "STOP":
                return self._stack.pop()
            elif name not in _IGNORED:
                raise damaged()
        raise damaged()

    def _push_value(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
            raise damaged()
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise damaged()
        items = self._stack[-count:]
        del self._stack[-count:]
        return items

    def _pop_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _find_from_stack(self) -> None:
        module, name = self._pop(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged()
        self._find(module, name)

    def _find(self, module: str, name: str) -> None:
        self._remaining_globals -= 1
        if self._remaining_globals < 0:
            raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
        self._stack.append(find_global(module, name))

    def _find_and_reject(self, module: str, name: str) -> None:
        find_global(module, name)
        raise damaged()

    def _call(self) -> None:
        function, arguments = self._pop(2)
        if not isinstance(function, Function) or not isinstance(arguments, tuple):
            raise damaged()
        result = function.call(arguments)
        if isinstance(result, TensorView):
            if len(self.views) == MAX_TENSORS:
                raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
            self.views.append(result)
            result = result.tensor
        self._stack.append(result)

    def _build(self) -> None:
        """Ignores the state of an object: attributes of an OrderedDict, of a tensor or of a placeholder.

        The state of a ParameterDict has its parameters.
        """
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, dict | torch.Tensor | Placeholder):
            raise damaged()
        if isinstance(target, ParameterDict):
            if type(state) is not dict or type(state["_parameters"]) is not dict:
                raise damaged()
            target.parameters = state["_parameters"]

    def _find_storage(self) -> None:
        reference = self._stack.pop()
        if not isinstance(reference, tuple) or len(reference) not in (5, 6):
            raise damaged()
        kind, storage_type, key, _, numel, *view = reference
        is_valid = (
            type(kind) is str
            and kind == "storage"
            and isinstance(storage_type, StorageType)
            and _is_short_text(key)
            and type(numel) is int
            and numel >= 0
            and view in ([], [None])
        )
        if not is_valid:
            raise damaged()
        storage = Storage(key, storage_type.dtype, numel)
        if self.storages.setdefault(key, storage) != storage:
            raise damaged()
        if len(self.storages) > MAX_TENSORS:
            raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
        self._stack.append(storage)

    def _extend(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise damaged()
        self._stack[-1].extend(items)

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise damaged()
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not (_is_short_text(key) or isinstance(key, int | Function | Placeholder)):
                raise PickleRejectedError(PickleRejection.UNSUPPORTED_KEYS)
            target[key] = value


def _is_short_text(value: Any) -> bool:
    """Whether the value is a text that can be compared in short time."""
    return type(value) is str and len(value) <= _MAX_KEY_LENGTH
