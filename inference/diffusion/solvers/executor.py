"""Execution of the instructions of many slots, with one operation on the device for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from inference.diffusion.solvers.instructions import Instruction, Kind, Opcode, Register

Registers = dict[Register, torch.Tensor]
"""Values of a slot's registers."""


@dataclass
class _Progress:
    """The instructions of one slot that are left."""

    instructions: Sequence[Instruction]
    registers: Registers
    position: int = field(default=0)

    @property
    def next(self) -> Instruction:
        return self.instructions[self.position]


def execute(programs: Sequence[tuple[Sequence[Instruction], Registers]]) -> None:
    """Executes the instructions of each slot in order, and adds the results to its registers.

    Instructions of the same kind run together with PyTorch's foreach functions, which take one launch on
    CUDA: the number of launches does not depend on the number of slots, unless their samplers differ.

    Args:
        programs: the instructions and registers of each slot.
    """
    running = [_Progress(instructions, registers) for instructions, registers in programs if instructions]
    while running:
        by_kind: dict[Kind, list[_Progress]] = {}
        for each in running:
            by_kind.setdefault(each.next.kind, []).append(each)
        kind, chosen = max(by_kind.items(), key=lambda item: len(item[1]))
        instructions = [each.next for each in chosen]
        operands = [
            [each.registers[register] for each, register in zip(chosen, registers, strict=True)]
            for registers in zip(*(instruction.operands for instruction in instructions), strict=True)
        ]
        constants = [instruction.constants for instruction in instructions]
        results = _OPERATIONS[kind.opcode](kind.dtype, operands, constants)
        for each, instruction, result in zip(chosen, instructions, results, strict=True):
            each.registers[instruction.result] = result
            each.position += 1
        running = [each for each in running if each.position < len(each.instructions)]


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
