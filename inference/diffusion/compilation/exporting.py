"""Export of a UNet without its weights, and compilation with AOTInductor. Runs in the compiler's process."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch._inductor import aoti_compile_and_package
from torch.nn.attention import SDPBackend, sdpa_kernel

from inference.diffusion.compilation.specification import Specification, TensorLayout
from inference.diffusion.modules.float8_linear import use_float8

_ALIGNMENT = 64
"""In elements, between the first elements of parameters: the compiler generates other code for parameters
that are not aligned to 16 bytes."""

_DEVICE_BYTES = 4 << 30
"""GPU memory at most, with which the compiler compares variants of kernels."""

_POSITIONAL = 3
"""Inputs that every UNet has; all others are added conditions."""

_OPTIONS = {
    # The parameters are not part of the package, and none of their values are part of the code.
    "aot_inductor.package_constants_in_so": False,
    "always_keep_tensor_constants": True,
    "joint_graph_constant_folding": False,
    # Two files are compiled: precompiling the headers takes longer than it saves.
    "aot_inductor.precompile_headers": False,
}


class _ExportedUNet(nn.Module):
    """A UNet with positional inputs, in the order of `Specification.inputs`, and one tensor as the result."""

    def __init__(self, unet: Any, added: tuple[str, ...]) -> None:
        super().__init__()
        self.unet = unet
        self._added = added

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        *added: torch.Tensor,
    ) -> torch.Tensor:
        conditions = dict(zip(self._added, added, strict=True)) or None
        output: tuple[torch.Tensor] = self.unet(
            sample,
            timestep,
            encoder_hidden_states=encoder_hidden_states,
            added_cond_kwargs=conditions,
            return_dict=False,
        )
        return output[0]


def compile_package(specification: Specification, package: Path) -> None:
    """Compiles, and writes the package; its name must end with .pt2.

    Raises:
        Exception: of any type, if the UNet cannot be compiled.
    """
    device = torch.device(specification.device)
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, _DEVICE_BYTES / total))
    inputs = tuple(
        torch.zeros(layout.shape, dtype=layout.torch_dtype, device=device).as_strided(
            layout.shape, layout.strides
        )
        for _, layout in specification.inputs
    )
    attention = [SDPBackend.__members__[name] for name in specification.attention]
    with torch.no_grad(), sdpa_kernel(attention, set_priority=True):
        exported = torch.export.export(_module(specification, device), inputs, strict=False)
        aoti_compile_and_package(
            exported,
            package_path=str(package),
            inductor_configs=_OPTIONS | {"cpp.threads": specification.threads},
        )


def _module(specification: Specification, device: torch.device) -> nn.Module:
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(json.loads(specification.config))
        if any(layout.dtype == "float8_e4m3fn" for _, layout in specification.parameters):
            use_float8(unet)
    unet.load_state_dict(_stand_ins(dict(specification.parameters), device), assign=True)
    unet.eval().requires_grad_(requires_grad=False)
    added = tuple(name for name, _ in specification.inputs[_POSITIONAL:])
    return _ExportedUNet(unet, added)


def _stand_ins(parameters: dict[str, TensorLayout], device: torch.device) -> dict[str, torch.Tensor]:
    """Tensors in place of the parameters, which share the memory that the largest of them needs.

    Each begins elsewhere in it: the compiler takes parameters at the same place for one.
    """
    tensors = {}
    for dtype in {layout.torch_dtype for layout in parameters.values()}:
        of_dtype = {name: layout for name, layout in parameters.items() if layout.torch_dtype == dtype}
        size = max(layout.extent for layout in of_dtype.values()) + _ALIGNMENT * len(of_dtype)
        memory = torch.zeros(size, dtype=dtype, device=device)
        for index, (name, layout) in enumerate(of_dtype.items()):
            tensors[name] = memory.as_strided(layout.shape, layout.strides, _ALIGNMENT * index)
    return tensors
