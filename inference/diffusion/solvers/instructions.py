"""Elementwise instructions on latents, of which a traced scheduler step consists."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

import torch

Register = int
"""Number of a tensor of a slot: latents, a prediction, noise, or a result of an instruction."""


class Opcode(Enum):
    """Operations; those of constants take one register and one number."""

    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    ADD_CONSTANT = "add constant"
    SUBTRACT_CONSTANT = "subtract constant"
    MULTIPLY_CONSTANT = "multiply by constant"
    DIVIDE_BY_CONSTANT = "divide by constant"
    CAST = "cast"
    COMBINE = "combine"
    """The linear combination of several registers with `torch.einsum`."""


@dataclass(frozen=True, eq=False)
class Kind:
    """Instructions of the same kind, of all slots, are one operation on the device.

    Attributes:
        opcode: the operation.
        dtype: of the result.
    """

    opcode: Opcode
    dtype: torch.dtype


@cache
def kind_of(opcode: Opcode, dtype: torch.dtype) -> Kind:
    """The only object for this kind."""
    return Kind(opcode, dtype)


@dataclass(frozen=True, slots=True)
class Instruction:
    """An operation on registers of one slot.

    Attributes:
        kind: operation and dtype of the result; the operands have that dtype, except in a cast.
        operands: the registers.
        constants: one number, or one for each register of a combination.
        result: the register of the result, which no other instruction of the schedule has.
    """

    kind: Kind
    operands: tuple[Register, ...]
    constants: tuple[float, ...]
    result: Register


@dataclass(frozen=True, eq=False)
class Program:
    """Instructions in the order of their execution.

    Attributes:
        instructions: each uses registers that are set at the begin, or by one before it.
        kinds: of the instructions; programs with equal ones have the same object.
    """

    instructions: tuple[Instruction, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, instructions: Iterable[Instruction]) -> "Program":
        """The program of these instructions."""
        instructions = tuple(instructions)
        return cls(instructions, _only(tuple(each.kind for each in instructions)))


@lru_cache(maxsize=4096)
def _only(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return kinds
