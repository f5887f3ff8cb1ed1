"""Execution of the instructions of many slots, with one operation on the device for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from inference.diffusion.solvers.instructions import Instruction, Kind, Opcode, Program, Register

Registers = dict[Register, torch.Tensor]
"""Values of a slot's registers."""


@dataclass
class _Running:
    """Slots whose programs have the same kinds of instructions, and the place that they have reached."""

    kinds: Sequence[Kind]
    slots: list[tuple[Sequence[Instruction], Registers]] = field(default_factory=list)
    position: int = 0

    def next(self) -> list[tuple[Instruction, Registers]]:
        """The next instruction of each slot, and its registers."""
        return [(instructions[self.position], registers) for instructions, registers in self.slots]


def execute(programs: Sequence[tuple[Program, Registers]]) -> None:
    """Executes the program of each slot, and adds the results to its registers.

    Instructions of the same kind run together with PyTorch's foreach functions, which take one launch on
    CUDA: the number of launches does not depend on the number of slots. Slots with different programs share
    the launches of the instructions that are the same in both.

    Args:
        programs: the program and the registers of each slot.
    """
    by_kinds: dict[int, _Running] = {}
    for program, registers in programs:
        if program.kinds:
            running = by_kinds.setdefault(id(program.kinds), _Running(program.kinds))
            running.slots.append((program.instructions, registers))
    unfinished = list(by_kinds.values())
    while unfinished:
        kind, chosen = _most_frequent_next(unfinished)
        _execute(
            kind,
            [(instructions[each.position], slot) for each in chosen for instructions, slot in each.slots],
        )
        for each in chosen:
            each.position += 1
        unfinished = [each for each in unfinished if each.position < len(each.kinds)]


def _most_frequent_next(unfinished: Sequence[_Running]) -> tuple[Kind, Sequence[_Running]]:
    """The kind of instruction that most slots need next, and those slots."""
    if len(unfinished) == 1:
        return unfinished[0].kinds[unfinished[0].position], unfinished
    by_kind: dict[Kind, list[_Running]] = {}
    for each in unfinished:
        by_kind.setdefault(each.kinds[each.position], []).append(each)
    return max(by_kind.items(), key=lambda item: sum(len(each.slots) for each in item[1]))


def _execute(kind: Kind, slots: Sequence[tuple[Instruction, Registers]]) -> None:
    count = len(slots[0][0].operands)
    operands = [
        [registers[instruction.operands[index]] for instruction, registers in slots] for index in range(count)
    ]
    constants = [instruction.constants for instruction, _ in slots]
    results = _OPERATIONS[kind.opcode](kind.dtype, operands, constants)
    for (instruction, registers), result in zip(slots, results, strict=True):
        registers[instruction.result] = result


_Operands = list[list[torch.Tensor]]
"""The tensors of all slots for each operand."""
_Constants = list[tuple[float, ...]]
"""The numbers of each slot."""
_Operation = Callable[[torch.dtype, _Operands, _Constants], Sequence[torch.Tensor]]


def _of_tensors(function: Any) -> _Operation:
    return lambda _dtype, operands, _constants: function(operands[0], operands[1])


def _of_constants(function: Any) -> _Operation:
    return lambda _dtype, operands, constants: function(operands[0], [each for (each,) in constants])


def _cast(dtype: torch.dtype, operands: _Operands, _constants: _Constants) -> Sequence[torch.Tensor]:
    results = [torch.empty_like(each, dtype=dtype) for each in operands[0]]
    torch._foreach_copy_(results, operands[0])
    return results


def _combine(dtype: torch.dtype, operands: _Operands, constants: _Constants) -> Sequence[torch.Tensor]:
    """The combination of each slot on its own: a batched matrix product rounds otherwise than sums do."""
    return [
        torch.einsum(
            "k,bkc...->bc...",
            torch.tensor(weights, dtype=dtype, device=tensors[0].device),
            torch.stack(tensors, dim=1),
        )
        for weights, tensors in zip(constants, zip(*operands, strict=True), strict=True)
    ]


_OPERATIONS: Mapping[Opcode, _Operation] = {
    Opcode.ADD: _of_tensors(torch._foreach_add),  # noqa: SLF001
    Opcode.SUBTRACT: _of_tensors(torch._foreach_sub),  # noqa: SLF001
    Opcode.MULTIPLY: _of_tensors(torch._foreach_mul),  # noqa: SLF001
    Opcode.DIVIDE: _of_tensors(torch._foreach_div),  # noqa: SLF001
    Opcode.ADD_CONSTANT: _of_constants(torch._foreach_add),  # noqa: SLF001
    Opcode.SUBTRACT_CONSTANT: _of_constants(torch._foreach_sub),  # noqa: SLF001
    Opcode.MULTIPLY_CONSTANT: _of_constants(torch._foreach_mul),  # noqa: SLF001
    Opcode.DIVIDE_BY_CONSTANT: _of_constants(torch._foreach_div),  # noqa: SLF001
    Opcode.CAST: _cast,
    Opcode.COMBINE: _combine,
}
