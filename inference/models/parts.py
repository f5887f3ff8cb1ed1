"""The parts of a Stable Diffusion, each to be loaded beside the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from inference.models.errors import UnusableModelError
from inference.models.memory_format import move_to_device
from inference.models.weights import Read, Tensors, assign

TextEncoder = CLIPTextModel | CLIPTextModelWithProjection
_OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
"""How the attention of the first VAEs in diffusers' layout was called."""


@dataclass(frozen=True)
class Part:
    """Something with weights.

    Attributes:
        name: as the pipeline calls it.
        build: makes it, without weights.
        read: gives its weights by their names in it.
        upcast: whether its numbers are too large for fp16, so that it is kept in fp32 instead.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    read: Read
    upcast: bool = False

    def load(self, device: torch.device, dtype: torch.dtype) -> torch.nn.Module:
        """It, with its weights, on the device and in the layout that draws fastest there.

        Raises:
            UnusableModelError: its configuration or its weights are missing or damaged.
        """
        if self.upcast and dtype == torch.float16:
            dtype = torch.float32
        try:
            with torch.device("meta"):
                module = self.build()
        except (TypeError, ValueError) as error:
            raise UnusableModelError(
                f"{self.name}/config.json describes nothing that can be built; fetch the model again."
            ) from error
        assign(module, _renamed(module, self.read(device, dtype)), self.name)
        _number_positions(module, device)
        if isinstance(module, AutoencoderKL | UNet2DConditionModel):
            move_to_device(module, device)
        return module.eval()


@dataclass(frozen=True)
class Parts:
    """A whole model.

    Attributes:
        pipeline: the class of diffusers that draws with it.
        heavy: the parts with weights.
        others: the parts without and the pipeline's settings, by name.
    """

    pipeline: type
    heavy: tuple[Part, ...]
    others: Mapping[str, Any] = field(default_factory=dict)

    def assemble(self, loaded: Mapping[str, torch.nn.Module]) -> Any:
        """The pipeline around its loaded parts; what it has no need of is None."""
        parameters = signature(self.pipeline).parameters
        given = {name: value for name, value in {**self.others, **loaded}.items() if name in parameters}
        needed = [name for name, parameter in parameters.items() if parameter.default is Parameter.empty]
        return self.pipeline(**(dict.fromkeys(needed) | given))


def _number_positions(module: torch.nn.Module, device: torch.device) -> None:
    """Fills in what a text encoder has computed when it was built, and no file holds."""
    for part in module.modules():
        numbers = getattr(part, "position_ids", None)
        if isinstance(numbers, torch.Tensor):
            part.position_ids = torch.arange(numbers.shape[1], device=device)[None]


def _renamed(module: torch.nn.Module, tensors: Tensors) -> Tensors:
    """The tensors by today's names: those of older files differ."""
    wrapped = any(name.startswith("text_model.") for name in module.state_dict())
    renamed = {}
    for name, tensor in tensors.items():
        today = name
        if isinstance(module, AutoencoderKL):
            for old, new in _OLD_NAMES.items():
                today = today.replace(old, new)
        elif isinstance(module, TextEncoder) and not wrapped:
            today = today.removeprefix("text_model.")
        renamed[today] = tensor
    return renamed
