"""Reading of LoRA files, and their validation against the layers of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inference.diffusion.adapters.adapter_files import WRONG_FAMILY, AdapterFileError, read_tensors
from inference.diffusion.adapters.lora_deltas import Delta, delta_of
from inference.diffusion.adapters.lora_layers import LayerId, LoraLayers
from inference.diffusion.adapters.lora_parts import LayerParts, check_names, group_tensors
from inference.diffusion.adapters.low_rank_layer import LowRankWeights
from inference.diffusion.adapters.peft_metadata import PeftMetadata, read_peft_metadata
from inference.diffusion.modules.float8_linear import Float8Linear

_PLAIN = {"down", "up"}
_SHAPE_ERRORS = (RuntimeError, ValueError, LookupError, TypeError)


@dataclass(frozen=True)
class Lora:
    """The content of a LoRA file.

    Attributes:
        low_rank: the layers with plain LoRA weights.
        deltas: the layers with weights of other types, and biases.
        embeddings: textual inversions in the file: name in prompts to the tensors of text encoders.
    """

    low_rank: Mapping[LayerId, LowRankWeights]
    deltas: Mapping[LayerId, Delta]
    embeddings: Mapping[str, Mapping[str, torch.Tensor]]


def read_lora(path: Path, layers: LoraLayers) -> Lora:
    """Reads a LoRA, LoCon, LoHa, LoKr, DoRA or full difference for these layers.

    Raises:
        AdapterFileError: the file is damaged, is not a supported LoRA, or does not fit the layers.
    """
    tensors, metadata = read_tensors(path)
    _check_values(tensors)
    parts = group_tensors(tensors, layers)
    peft_metadata = read_peft_metadata(metadata)
    low_rank, deltas = {}, {}
    for layer, of_layer in parts.layers.items():
        module, of_component = layers.layer(layer).module, peft_metadata.get(layer.component)
        plain, delta = _changes(layer, of_layer, module, of_component)
        if plain is not None:
            low_rank[layer] = plain
        if delta is not None:
            deltas[layer] = delta
    return Lora(low_rank, deltas, parts.embeddings)


def check_lora_file(path: Path) -> None:
    """Checks the types of a file's weights, without a model.

    Raises:
        AdapterFileError: the file is damaged, or is not a supported LoRA.
    """
    check_names(read_tensors(path)[0])


def _changes(
    layer: LayerId, parts: LayerParts, module: nn.Module, metadata: PeftMetadata | None
) -> tuple[LowRankWeights | None, Delta | None]:
    """The plain LoRA weights of a layer, and its other changes; neither at rank 0.

    Raises:
        AdapterFileError: weights are missing, or do not fit the layer.
    """
    weights = {part: values for part, values in parts.items() if part != "alpha"}
    try:
        return _split(weights, _alpha(layer, parts, metadata), module)
    except AdapterFileError as error:
        raise AdapterFileError(f"{error.reason} (for {layer.name[:100]})") from error
    except _SHAPE_ERRORS as error:
        raise AdapterFileError(
            f"{WRONG_FAMILY}: its weights for {layer.name[:100]} do not fit; use one made for this model"
        ) from error


def _split(
    weights: LayerParts, alpha: float | None, module: nn.Module
) -> tuple[LowRankWeights | None, Delta | None]:
    plain, delta = None, delta_of(weights, alpha)
    is_plain = weights.keys() - {"diff_b"} == _PLAIN and isinstance(
        module, nn.Linear | Float8Linear | nn.Conv2d
    )
    if delta is not None and is_plain:
        plain = _plain(weights, alpha, module)
        delta = delta_of({part: values for part, values in weights.items() if part == "diff_b"}, None)
    if delta is not None and isinstance(module, Float8Linear):
        raise AdapterFileError(
            "changes weights that are quantized; with quantization, only LoRAs with two matrices a layer can "
            "be used"
        )
    if delta is not None:
        _check_shape(delta, module)
    return plain, delta


def _check_values(tensors: Mapping[str, torch.Tensor]) -> None:
    for name, values in tensors.items():
        if name.endswith(".alpha"):
            if values.numel() != 1:
                raise AdapterFileError(f"has more than one number in {name[:100]}; upload it again")
        elif not values.is_floating_point():
            raise AdapterFileError(f"has no floating-point numbers in {name[:100]}; use one in fp16 or fp32")
        if not values.float().isfinite().all():
            raise AdapterFileError(f"has values that are not finite numbers in {name[:100]}; use another")


def _alpha(layer: LayerId, parts: Mapping[str, torch.Tensor], metadata: PeftMetadata | None) -> float | None:
    if metadata is not None and "down" in parts:
        return metadata.alpha(layer.name, len(parts["down"]) if parts["down"].ndim else 0)
    return float(parts["alpha"].item()) if "alpha" in parts else None


def _plain(parts: LayerParts, alpha: float | None, module: Any) -> LowRankWeights:
    """The low-rank weights in the shapes that they have for the layer.

    Raises:
        RuntimeError: they do not fit.
    """
    outputs, *inputs = module.weight.shape
    rank = len(parts["down"])
    down = parts["down"].reshape(rank, *inputs)
    up = parts["up"].reshape(outputs, rank, *[1] * (len(inputs) - 1))
    return LowRankWeights(down, up, float(rank) if alpha is None else alpha)


def _check_shape(delta: Delta, module: Any) -> None:
    """Computes the change without data.

    Raises:
        RuntimeError, ValueError: it does not fit the layer.
    """
    if "diff_b" in delta.parts and not hasattr(module, "bias"):
        raise ValueError("the layer cannot have a bias")
    weight = module.weight.to("meta")
    delta.to("meta").of_weight(weight)
    delta.to("meta").of_bias(weight)
