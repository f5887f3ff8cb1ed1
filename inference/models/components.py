"""The components of a diffusers pipeline, described before they are loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from inference.models.errors import UnusableModelError
from inference.models.memory_format import move_to_device
from inference.models.parameter_limit import TooManyParametersError, limit_parameters
from inference.models.weights import ReadStateDict, StateDict, load_state_dict

TextEncoder = CLIPTextModel | CLIPTextModelWithProjection
_DEPRECATED_NAMES = {
    ".query.": ".to_q.",
    ".key.": ".to_k.",
    ".value.": ".to_v.",
    ".proj_attn.": ".to_out.0.",
}
"""Attention layers of VAEs that early diffusers releases have saved."""


@dataclass(frozen=True)
class Component:
    """A component with weights.

    Attributes:
        name: as in model_index.json.
        build: builds the module without weights.
        read: reads its state dict.
        force_upcast: its activations overflow fp16; it is loaded in fp32 instead.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    read: ReadStateDict
    force_upcast: bool = False

    def load(self, device: torch.device, dtype: torch.dtype) -> torch.nn.Module:
        """Builds the module and loads its weights onto the device, in the fastest memory format there.

        Raises:
            UnusableModelError: the configuration or the weights are missing or damaged.
        """
        if self.force_upcast and dtype == torch.float16:
            dtype = torch.float32
        tensors = self.read(device, dtype)
        try:
            with torch.device("meta"), limit_parameters(len(tensors)):
                module = self.build()
        except TooManyParametersError as error:
            raise UnusableModelError(
                f"{self.name}/config.json describes a larger module than the one whose weights are there; "
                "download the model again."
            ) from error
        except (TypeError, ValueError) as error:
            raise UnusableModelError(
                f"{self.name}/config.json does not describe a valid module; download the model again."
            ) from error
        load_state_dict(module, with_current_names(module, tensors), self.name)
        _set_position_ids(module, device)
        if isinstance(module, AutoencoderKL | UNet2DConditionModel):
            move_to_device(module, device)
        return module.eval()


@dataclass(frozen=True)
class PipelineComponents:
    """A pipeline's class and components.

    Attributes:
        pipeline: the class in diffusers.
        weighted: the components with weights.
        others: tokenizers, the scheduler and the pipeline's settings, by argument name.
    """

    pipeline: type
    weighted: tuple[Component, ...]
    others: Mapping[str, Any] = field(default_factory=dict)

    def assemble(self, modules: Mapping[str, torch.nn.Module]) -> Any:
        """Builds the pipeline from the loaded modules; required components that are absent are None."""
        parameters = signature(self.pipeline).parameters
        given = {name: value for name, value in {**self.others, **modules}.items() if name in parameters}
        needed = [name for name, parameter in parameters.items() if parameter.default is Parameter.empty]
        return self.pipeline(**(dict.fromkeys(needed) | given))


def _set_position_ids(module: torch.nn.Module, device: torch.device) -> None:
    """Fills the text encoder's `position_ids` buffer, which checkpoints do not store."""
    for layer in module.modules():
        ids = getattr(layer, "position_ids", None)
        if isinstance(ids, torch.Tensor):
            layer.position_ids = torch.arange(ids.shape[1], device=device)[None]


def with_current_names(module: torch.nn.Module, tensors: StateDict) -> StateDict:
    """The state dict with the names of older releases replaced by the current ones."""
    has_prefix = any(name.startswith("text_model.") for name in module.state_dict())
    renamed = {}
    for name, tensor in tensors.items():
        current = name
        if isinstance(module, AutoencoderKL):
            for old, new in _DEPRECATED_NAMES.items():
                current = current.replace(old, new)
        elif isinstance(module, TextEncoder) and not has_prefix:
            current = current.removeprefix("text_model.")
        renamed[current] = tensor
    return renamed
