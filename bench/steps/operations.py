"""Counts of the operations that PyTorch dispatches, by where they run."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_ALLOCATIONS = frozenset({"empty", "empty_like", "empty_strided", "new_empty"})


@dataclass
class Operations:
    """Numbers of operations; a foreach function is one, views and allocations are none.

    Attributes:
        device: operations on the device by name: at least a kernel launch each.
        copies: from the CPU to the device, or back.
        cpu: operations on tensors of the CPU by name.
    """

    device: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    cpu: Counter[str] = field(default_factory=Counter)

    @property
    def launches(self) -> int:
        """Operations on the device, and copies."""
        return self.device.total() + self.copies


class OperationCounter(TorchDispatchMode):
    """Within the block, counts the operations of this thread.

    Attributes:
        operations: the counts so far.
    """

    def __init__(self, device_type: str) -> None:
        """Takes the type of the device: `meta` stands for a GPU.

        Tensors on `meta` have no values. An operation that would wait for the GPU to read one raises.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._device_type = device_type
        self.operations = Operations()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Runs and counts the operation."""
        del types
        result = function(*args, **(kwargs or {}))
        inputs, outputs = _tensors((args, kwargs)), _tensors(result)
        name = function._schema.name.removeprefix("aten::")  # noqa: SLF001 - as in PyTorch's own modes
        if name not in _ALLOCATIONS and (function._schema.is_mutable or not _are_views(outputs, inputs)):  # noqa: SLF001
            self._count(name, {each.device.type for each in inputs}, {each.device.type for each in outputs})
        return result

    def _count(self, name: str, inputs: set[str], outputs: set[str]) -> None:
        on_device = self._device_type in inputs | outputs
        if on_device and len(inputs | outputs) > 1:
            self.operations.copies += 1
        elif on_device:
            self.operations.device[name] += 1
        else:
            self.operations.cpu[name] += 1


def _tensors(value: Any) -> list[torch.Tensor]:
    return [each for each in tree_leaves(value) if isinstance(each, torch.Tensor)]


def _are_views(outputs: list[torch.Tensor], inputs: list[torch.Tensor]) -> bool:
    """Whether the outputs have their memory from the inputs."""
    memory = {each.untyped_storage()._cdata for each in inputs}  # noqa: SLF001 - on meta, data_ptr() is 0
    return bool(outputs) and all(each.untyped_storage()._cdata in memory for each in outputs)  # noqa: SLF001
