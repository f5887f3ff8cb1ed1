"""Elementwise instructions on latents, of which a traced scheduler step consists."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

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


class Kind(NamedTuple):
    """Instructions of the same kind, of all slots, are one operation on the device.

    Attributes:
        opcode: the operation.
        dtype: of the result.
    """

    opcode: Opcode
    dtype: torch.dtype


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
