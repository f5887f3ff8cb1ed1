"""Recording of the arithmetic of diffusers' schedulers as instructions."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from inference.diffusion.solvers.instructions import Instruction, Opcode, Program, Register, kind_of

_ARITHMETIC: Mapping[Any, tuple[Opcode, Opcode]] = {
    torch.ops.aten.add.Tensor: (Opcode.ADD, Opcode.ADD_CONSTANT),
    torch.ops.aten.sub.Tensor: (Opcode.SUBTRACT, Opcode.SUBTRACT_CONSTANT),
    torch.ops.aten.mul.Tensor: (Opcode.MULTIPLY, Opcode.MULTIPLY_CONSTANT),
    torch.ops.aten.div.Tensor: (Opcode.DIVIDE, Opcode.DIVIDE_BY_CONSTANT),
}
_ALIASES = frozenset(
    {
        torch.ops.aten.to.dtype,
        torch.ops.aten.to.dtype_layout,
        torch.ops.aten._to_copy.default,  # noqa: SLF001 - the name of a public operator
        torch.ops.aten.clone.default,
        torch.ops.aten.detach.default,
    }
)
_COMMUTATIVE = frozenset({Opcode.ADD_CONSTANT, Opcode.MULTIPLY_CONSTANT})


class UnsupportedOperationError(NotImplementedError):
    """A scheduler uses an operation on latents that instructions do not have."""


class Recorder(TorchDispatchMode):
    """Within the block, records the operations on traced tensors; those on numbers only are computed.

    A traced tensor stands for latents of any size and has one element. An operation that repeats an earlier
    one on the same registers is not recorded again. The rounding is that of PyTorch's own kernels:

    - on the CPU a 0-dimensional tensor to the left of a half-precision tensor is rounded to its dtype, one to
      the right is not (ATen/native/cpu/BinaryOpsKernel.cpp);
    - on CUDA none is rounded, and a division by one multiplies by its reciprocal
      (ATen/native/cuda/BinaryDivTrueKernel.cu).
    """

    def __init__(self, *, device_type: str) -> None:
        """Takes the device type that the instructions run on, cpu or cuda."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._is_cuda = device_type == "cuda"
        self._traced: dict[int, Register] = {}
        self._tensors: list[torch.Tensor] = []  # ids stay unique while the tensors live
        self._dtypes: list[torch.dtype] = []
        self._stacks: dict[int, tuple[Register, ...]] = {}
        self._recorded: dict[tuple[Any, ...], Register] = {}
        self._instructions: list[Instruction] = []
        self._noise: list[tuple[Register, torch.dtype]] = []

    def input(self, dtype: torch.dtype) -> tuple[torch.Tensor, Register]:
        """A tensor that stands for an input of the instructions, and its register."""
        tensor = torch.ones((1, 1, 1, 1), dtype=dtype)
        return tensor, self._trace(tensor, self._new_register(dtype))

    def register(self, tensor: torch.Tensor) -> Register:
        """The register of a traced tensor."""
        return self._traced[id(tensor)]

    def take(self) -> tuple[Program, tuple[tuple[Register, torch.dtype], ...]]:
        """The instructions, and the registers of standard normal noise, since the last call."""
        taken = Program.of(self._instructions), tuple(self._noise)
        self._instructions, self._noise = [], []
        return taken

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Computes the operation, and records it if it has a traced tensor among its arguments."""
        del types
        result = function(*args, **kwargs) if kwargs else function(*args)
        if self._is_traced(args):
            self._record(function, args, result)
        elif function is torch.ops.aten.randn.generator:
            self._noise.append((self._trace(result, self._new_register(result.dtype)), result.dtype))
        return result

    def _is_traced(self, arguments: Sequence[Any]) -> bool:
        """Whether there is a traced tensor among the arguments, or in a list among them."""
        return any(
            id(each) in self._traced
            or id(each) in self._stacks
            or (isinstance(each, list | tuple) and self._is_traced(each))
            for each in arguments
        )

    def _record(self, function: Any, args: tuple[Any, ...], result: torch.Tensor) -> None:
        if function in _ARITHMETIC:
            self._trace(result, self._arithmetic(function, args, result.dtype))
        elif function in _ALIASES:
            self._trace(result, self._cast(self.register(args[0]), result.dtype))
        elif function is torch.ops.aten.stack.default:
            self._stacks[id(result)] = tuple(self.register(each) for each in args[0])
            self._tensors.append(result)
        elif function is torch.ops.aten.einsum.default and args[0] == "k,bkc...->bc...":
            self._trace(result, self._combine(*args[1], dtype=result.dtype))
        else:
            raise UnsupportedOperationError(f"{function} on latents")

    def _arithmetic(self, function: Any, args: tuple[Any, ...], dtype: torch.dtype) -> Register:
        of_tensors, of_constant = _ARITHMETIC[function]
        left, right = args
        if id(left) in self._traced and id(right) in self._traced:
            operands = tuple(self._cast(self.register(each), dtype) for each in args)
            return self._append(of_tensors, dtype, operands)
        if id(left) in self._traced:
            operand = self._cast(self.register(left), dtype)
            if of_constant is Opcode.DIVIDE_BY_CONSTANT and self._is_cuda:
                reciprocal = 1 / torch.tensor(_number(right), dtype=torch.float32)
                return self._append(Opcode.MULTIPLY_CONSTANT, dtype, (operand,), (float(reciprocal),))
            return self._append(of_constant, dtype, (operand,), (_number(right),))
        if of_constant not in _COMMUTATIVE:
            raise UnsupportedOperationError(f"{function} of a number and latents")
        constant = torch.tensor(_number(left), dtype=torch.float64)
        rounded = constant if self._is_cuda else constant.to(dtype)
        operand = self._cast(self.register(right), dtype)
        return self._append(of_constant, dtype, (operand,), (float(rounded),))

    def _combine(self, weights: torch.Tensor, stack: torch.Tensor, *, dtype: torch.dtype) -> Register:
        operands = self._stacks[id(stack)]
        numbers = tuple(float(each) for each in weights)
        if len(operands) == 1:
            return self._append(Opcode.MULTIPLY_CONSTANT, dtype, operands, numbers)
        return self._append(Opcode.COMBINE, dtype, operands, numbers)

    def _cast(self, register: Register, dtype: torch.dtype) -> Register:
        return register if self._dtypes[register] == dtype else self._append(Opcode.CAST, dtype, (register,))

    def _append(
        self,
        opcode: Opcode,
        dtype: torch.dtype,
        operands: tuple[Register, ...],
        constants: tuple[float, ...] = (),
    ) -> Register:
        kind = kind_of(opcode, dtype)
        key = (kind, operands, constants)
        if key not in self._recorded:
            self._recorded[key] = self._new_register(dtype)
            self._instructions.append(Instruction(kind, operands, constants, self._recorded[key]))
        return self._recorded[key]

    def _new_register(self, dtype: torch.dtype) -> Register:
        self._dtypes.append(dtype)
        return len(self._dtypes) - 1

    def _trace(self, tensor: torch.Tensor, register: Register) -> Register:
        self._traced[id(tensor)] = register
        self._tensors.append(tensor)
        return register


def _number(operand: Any) -> float:
    if isinstance(operand, torch.Tensor) and operand.numel() != 1:
        raise UnsupportedOperationError(f"a tensor of {operand.numel()} numbers beside latents")
    return float(operand)
