"""What a LoRA file says, held against the layers that it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.utils.state_dict_utils import (
    DIFFUSERS_OLD_TO_PEFT,
    DIFFUSERS_TO_PEFT,
    UNET_TO_DIFFUSERS,
    convert_state_dict,
)
from torch import nn

from inference.diffusion.adapters.adapter_files import OTHER_FAMILY, AdapterFileError, read_tensors
from inference.diffusion.adapters.peft_metadata import LoraNotes, read_notes

_COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
_KOHYA = ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_")
_NAMES = {
    "unet": UNET_TO_DIFFUSERS,
    "text_encoder": {**DIFFUSERS_OLD_TO_PEFT, **DIFFUSERS_TO_PEFT},
    "text_encoder_2": {**DIFFUSERS_OLD_TO_PEFT, **DIFFUSERS_TO_PEFT},
}
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True)
class LoraLayer:
    """What a LoRA adds to one layer.

    Attributes:
        down: (rank, inputs), or for a convolution (rank, inputs, height, width).
        up: (outputs, rank), or for a convolution (outputs, rank, 1, 1).
        alpha: what the sum is multiplied by, times the rank.
    """

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    @property
    def rank(self) -> int:
        """How many numbers it passes through."""
        return self.down.shape[0] if self.down.ndim else 0

    def supports(self, layer: nn.Module) -> bool:
        """Whether the shapes are the layer's."""
        if not isinstance(layer, nn.Linear | nn.Conv2d) or self.down.ndim != layer.weight.ndim:
            return False
        outputs, *inputs = layer.weight.shape
        up = (outputs, self.rank, *(1 for _ in inputs[1:]))
        return self.rank > 0 and (*self.down.shape[1:],) == (*inputs,) and (*self.up.shape,) == up


Lora = Mapping[str, Mapping[str, LoraLayer]]
"""Layers by component and name."""


def read_lora(path: Path, pipeline: Any) -> Lora:
    """A LoRA under diffusers' names or kohya's, for a pipeline's UNet and text encoders.

    Raises:
        AdapterFileError: it is damaged, no LoRA, or does not fit the pipeline.
    """
    tensors, notes = read_tensors(path)
    _check_names(tensors)
    weights, alphas = _with_diffusers_names(tensors, pipeline)
    noted = read_notes(notes)
    lora = {}
    for component in _COMPONENTS:
        model = getattr(pipeline, component, None)
        part = {name: tensor for name, tensor in weights.items() if name.startswith(f"{component}.")}
        if not part:
            continue
        if model is None:
            raise AdapterFileError(f"{OTHER_FAMILY}: this one has no {component}")
        lora[component] = _layers(component, model, part, alphas, noted.get(component))
    if sum(2 * len(layers) for layers in lora.values()) != len(weights):
        raise AdapterFileError("has weights for no layer of a Stable Diffusion")
    return lora


def _check_names(tensors: Mapping[str, torch.Tensor]) -> None:
    """What diffusers' converters take for granted."""
    if not any("lora" in name for name in tensors):
        raise AdapterFileError("has no LoRA weights; upload a LoRA, or use it as what it is")
    if any("dora_scale" in name or "lora_magnitude_vector" in name for name in tensors):
        raise AdapterFileError("is a DoRA, which is not supported; use a plain LoRA")
    for name in tensors:
        stem, _, ending = name.partition(".")
        if ending == "lora_down.weight" and f"{stem}.lora_up.weight" not in tensors:
            raise AdapterFileError(f"is incomplete at {stem[:100]}; upload it again")
        if ending == "alpha" and tensors[name].numel() != 1:
            raise AdapterFileError(f"has more than one alpha for {stem[:100]}; upload it again")


def _with_diffusers_names(
    tensors: dict[str, torch.Tensor], pipeline: Any
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Weights and alphas by diffusers' names."""
    kohya = all(name.startswith(_KOHYA) for name in tensors)
    is_large = hasattr(pipeline, "text_encoder_2")
    if kohya and not is_large and any(name.startswith("lora_te2_") for name in tensors):
        raise AdapterFileError(f"{OTHER_FAMILY}: this one has no text_encoder_2")
    options = {"unet_config": pipeline.unet.config} if is_large else {}
    try:
        weights, alphas = pipeline.lora_state_dict(tensors, **options)
    except (LookupError, ValueError) as error:
        raise AdapterFileError("is of a kind that is not supported; use a plain LoRA") from error
    return weights, alphas or {}


def _layers(
    component: str,
    model: nn.Module,
    weights: Mapping[str, torch.Tensor],
    alphas: Mapping[str, float],
    notes: LoraNotes | None,
) -> dict[str, LoraLayer]:
    tensors = _with_layers_names(component, model, weights)
    by_layer = {
        name.partition(".lora_A")[0].removesuffix(".alpha"): alpha
        for name, alpha in _with_layers_names(component, model, alphas).items()
    }
    layers = {}
    for name in dict.fromkeys(name.removesuffix(_DOWN).removesuffix(_UP) for name in tensors):
        down, up = tensors.get(name + _DOWN), tensors.get(name + _UP)
        if down is None or up is None:
            raise AdapterFileError(f"is incomplete at {name[:100]}; upload it again, or use a plain LoRA")
        rank = down.shape[0] if down.ndim else 0
        alpha = notes.alpha(name, rank) if notes else by_layer.get(name, float(rank))
        layers[name] = LoraLayer(down, up, alpha)
        if not layers[name].supports(_layer(model, name)):
            raise AdapterFileError(
                f"{OTHER_FAMILY}: its weights for {name[:100]} do not fit; use one of this model's family"
            )
    return layers


def _with_layers_names(component: str, model: nn.Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """The component's values by its layers' own names, and peft's for the weights."""
    own = {
        name.removeprefix(f"{component}."): value
        for name, value in values.items()
        if name.startswith(f"{component}.")
    }
    converted: dict[str, Any] = convert_state_dict(own, _NAMES[component])
    if hasattr(model, "text_model"):
        return converted
    return {name.removeprefix("text_model."): value for name, value in converted.items()}


def _layer(model: nn.Module, name: str) -> nn.Module:
    """The layer of this name, without the LoRAs that it bears; an empty one if there is none."""
    try:
        layer = model.get_submodule(name)
    except AttributeError:
        return nn.Identity()
    base: nn.Module = getattr(layer, "base_layer", layer)
    return base
