"""Reading of LoRA files, and their validation against the layers of a pipeline."""

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

from inference.diffusion.adapters.adapter_files import WRONG_FAMILY, AdapterFileError, read_tensors
from inference.diffusion.adapters.peft_metadata import PeftMetadata, read_peft_metadata

COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
"""The components of a pipeline that LoRAs are applied to."""

_KOHYA_PREFIXES = ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_")
_TO_PEFT_NAMES = {
    "unet": UNET_TO_DIFFUSERS,
    "text_encoder": {**DIFFUSERS_OLD_TO_PEFT, **DIFFUSERS_TO_PEFT},
    "text_encoder_2": {**DIFFUSERS_OLD_TO_PEFT, **DIFFUSERS_TO_PEFT},
}
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True)
class LoraLayer:
    """The low-rank weights for one layer.

    Attributes:
        down: (rank, inputs), for a convolution (rank, inputs, height, width).
        up: (outputs, rank), for a convolution (outputs, rank, 1, 1).
        alpha: the scaling factor times the rank, as in peft.
    """

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    @property
    def rank(self) -> int:
        """The rank; 0 if `down` is a scalar."""
        return self.down.shape[0] if self.down.ndim else 0

    def fits(self, layer: nn.Module) -> bool:
        """Whether the shapes fit the layer."""
        if not isinstance(layer, nn.Linear | nn.Conv2d) or self.down.ndim != layer.weight.ndim:
            return False
        outputs, *inputs = layer.weight.shape
        up = (outputs, self.rank, *(1 for _ in inputs[1:]))
        return self.rank > 0 and (*self.down.shape[1:],) == (*inputs,) and (*self.up.shape,) == up


Lora = Mapping[str, Mapping[str, LoraLayer]]
"""Component to layer name to weights."""


def read_lora(path: Path, pipeline: Any) -> Lora:
    """Reads a LoRA in diffusers' or kohya's naming for a pipeline's UNet and text encoders.

    Raises:
        AdapterFileError: the file is damaged, is not a supported LoRA, or does not fit the pipeline.
    """
    tensors, metadata = read_tensors(path)
    _check_names(tensors)
    weights, alphas = _to_diffusers_names(tensors, pipeline)
    peft_metadata = read_peft_metadata(metadata)
    lora = {}
    for component in COMPONENTS:
        model = getattr(pipeline, component, None)
        of_component = {name: value for name, value in weights.items() if name.startswith(f"{component}.")}
        if not of_component:
            continue
        if model is None:
            raise AdapterFileError(
                f"{WRONG_FAMILY}: this model has no {component}; use one made for this model"
            )
        lora[component] = _layers(component, model, of_component, alphas, peft_metadata.get(component))
    if sum(2 * len(layers) for layers in lora.values()) != len(weights):
        raise AdapterFileError(
            "has weights outside the UNet and the text encoders; use a LoRA made for Stable Diffusion"
        )
    return lora


def _check_names(tensors: Mapping[str, torch.Tensor]) -> None:
    """Checks the preconditions of diffusers' converters, which they do not check themselves."""
    if not any("lora" in name for name in tensors):
        raise AdapterFileError("has no LoRA weights; upload a LoRA")
    if any("dora_scale" in name or "lora_magnitude_vector" in name for name in tensors):
        raise AdapterFileError("is a DoRA, which is not supported; use a LoRA without DoRA")
    for name in tensors:
        stem, _, suffix = name.partition(".")
        if suffix == "lora_down.weight" and f"{stem}.lora_up.weight" not in tensors:
            raise AdapterFileError(f"is incomplete: it has no {stem[:100]}.lora_up.weight; upload it again")
        if suffix == "alpha" and tensors[name].numel() != 1:
            raise AdapterFileError(f"has more than one alpha for {stem[:100]}; upload it again")


def _to_diffusers_names(
    tensors: dict[str, torch.Tensor], pipeline: Any
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """The weights and the alphas by diffusers' names."""
    is_kohya = all(name.startswith(_KOHYA_PREFIXES) for name in tensors)
    is_sdxl = hasattr(pipeline, "text_encoder_2")
    if is_kohya and not is_sdxl and any(name.startswith("lora_te2_") for name in tensors):
        raise AdapterFileError(
            f"{WRONG_FAMILY}: this model has no text_encoder_2; use one made for this model"
        )
    options = {"unet_config": pipeline.unet.config} if is_sdxl else {}
    try:
        weights, alphas = pipeline.lora_state_dict(tensors, **options)
    except (LookupError, ValueError) as error:
        raise AdapterFileError("is of an unsupported LoRA type; use a plain LoRA") from error
    return weights, alphas or {}


def _layers(
    component: str,
    model: nn.Module,
    weights: Mapping[str, torch.Tensor],
    alphas: Mapping[str, float],
    metadata: PeftMetadata | None,
) -> dict[str, LoraLayer]:
    """The weights by layer name, checked against the model's layers."""
    tensors = _to_layer_names(component, model, weights)
    alpha_by_layer = {
        name.partition(".lora_A")[0].removesuffix(".alpha"): alpha
        for name, alpha in _to_layer_names(component, model, alphas).items()
    }
    layers = {}
    for name in dict.fromkeys(name.removesuffix(_DOWN).removesuffix(_UP) for name in tensors):
        down, up = tensors.get(name + _DOWN), tensors.get(name + _UP)
        if down is None or up is None:
            raise AdapterFileError(
                f"has incomplete or unsupported weights for {name[:100]}; upload it again or use a plain LoRA"
            )
        rank = down.shape[0] if down.ndim else 0
        alpha = metadata.alpha(name, rank) if metadata else alpha_by_layer.get(name, float(rank))
        layers[name] = LoraLayer(down, up, alpha)
        if not layers[name].fits(_layer(model, name)):
            raise AdapterFileError(
                f"{WRONG_FAMILY}: its weights for {name[:100]} do not fit; use one made for this model"
            )
    return layers


def _to_layer_names(component: str, model: nn.Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """The component's values by layer name, with peft's suffixes for the weights."""
    of_component = {
        name.removeprefix(f"{component}."): value
        for name, value in values.items()
        if name.startswith(f"{component}.")
    }
    converted: dict[str, Any] = convert_state_dict(of_component, _TO_PEFT_NAMES[component])
    if hasattr(model, "text_model"):
        return converted
    return {name.removeprefix("text_model."): value for name, value in converted.items()}


def _layer(model: nn.Module, name: str) -> nn.Module:
    """The layer of this name, unwrapped from peft's; an `nn.Identity` if there is none."""
    try:
        layer = model.get_submodule(name)
    except AttributeError:
        return nn.Identity()
    base: nn.Module = getattr(layer, "base_layer", layer)
    return base
