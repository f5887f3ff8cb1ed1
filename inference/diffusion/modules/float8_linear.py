"""Linear layers that multiply in 8-bit floating point (FP8), an approximation."""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import ScalingType, scaled_mm

_DTYPE = torch.float8_e4m3fn
_LARGEST = torch.finfo(_DTYPE).max
_SMALLEST_SCALE = 1e-12
"""Of rows of zeros."""

_ALIGNMENT = 16
"""The sizes that tensor cores multiply in FP8 are multiples of it."""

_OF_EACH_PROMPT = ("attn2.to_k", "attn2.to_v")
"""Ends of the names of layers whose inputs are a prompt's tokens: too few to gain anything."""


class Float8Linear(nn.Module):
    """A linear layer with weights in FP8, whose inputs are rounded to FP8 as well.

    Each row of the weight and of the inputs has a scale of its own, so that a row's result does not depend on
    the other rows of its batch.

    Attributes:
        weight: (outputs, inputs), in units of `weight_scale`.
        weight_scale: (outputs, 1).
        bias: (outputs,), or None.
        input_dtype: of inputs and outputs.
    """

    weight: nn.Parameter
    weight_scale: nn.Parameter

    def __init__(self, linear: nn.Linear) -> None:
        """Rounds the weight of a layer."""
        super().__init__()
        weight, scale = _rounded(linear.weight.detach())
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.weight_scale = nn.Parameter(scale, requires_grad=False)
        self.bias = linear.bias
        self.input_dtype = linear.weight.dtype

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The product, in the dtype of the inputs."""
        rows, scale = _rounded(inputs.reshape(-1, inputs.shape[-1]))
        product = scaled_mm(
            rows,
            self.weight.t(),
            scale,
            ScalingType.RowWise,
            self.weight_scale.t(),
            ScalingType.RowWise,
            bias=self.bias,
            output_dtype=inputs.dtype,
            use_fast_accum=inputs.is_cuda,
        )
        output: torch.Tensor = product.unflatten(0, inputs.shape[:-1])
        return output


def use_float8(unet: Any) -> int:
    """Replaces the linear layers of a UNet's transformer blocks, whose inputs are an image's tokens.

    All others have few rows: time embeddings, and a prompt's keys and values.

    Returns:
        The number of layers that have been replaced.
    """
    count = 0
    for name, block in unet.named_modules():
        if name.rpartition(".")[2] != "transformer_blocks":
            continue
        for parent_name, parent in list(block.named_modules()):
            for child_name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear) and _gains(f"{parent_name}.{child_name}", child):
                    setattr(parent, child_name, Float8Linear(child))
                    count += 1
    return count


def _gains(name: str, linear: nn.Linear) -> bool:
    is_aligned = linear.in_features % _ALIGNMENT == 0 and linear.out_features % _ALIGNMENT == 0
    return is_aligned and not name.endswith(_OF_EACH_PROMPT)


def _rounded(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows in FP8, and their scales, (rows, 1), with which a row's largest value is the largest of FP8.

    Quotients that exceed it by an error of bfloat16 are rounded to it.
    """
    largest = torch.linalg.vector_norm(values, ord=float("inf"), dim=-1, keepdim=True)
    scale = (largest.float() / _LARGEST).clamp_min(_SMALLEST_SCALE)
    return (values / scale.to(values.dtype)).to(_DTYPE), scale
