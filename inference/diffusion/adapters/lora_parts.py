"""The tensors of LoRA files, grouped by the layers that they change."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import torch

from inference.diffusion.adapters.adapter_files import WRONG_FAMILY, AdapterFileError
from inference.diffusion.adapters.lora_layers import LayerId, LoraLayers, component_of

LayerParts = Mapping[str, torch.Tensor]
"""Part to tensor, for one layer; the parts are the values of SUFFIXES."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "down": (
        *(".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora_A.default_0.weight"),
        *(".lora.down.weight", "_lora.down.weight", ".lora_linear_layer.down.weight"),
    ),
    "up": (
        *(".lora_up.weight", ".lora_B.weight", ".lora_B.default.weight", ".lora_B.default_0.weight"),
        *(".lora.up.weight", "_lora.up.weight", ".lora_linear_layer.up.weight"),
    ),
    "mid": (".lora_mid.weight",),
    **{part: (f".{part}",) for part in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")},
    **{part: (f".{part}",) for part in ("hada_t1", "hada_t2")},
    **{part: (f".{part}",) for part in ("lokr_w1", "lokr_w1_a", "lokr_w1_b")},
    **{part: (f".{part}",) for part in ("lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")},
    "diff": (".diff", ".w_norm"),
    "diff_b": (".diff_b", ".b_norm"),
    "magnitude": (
        *(".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight"),
        ".lora_magnitude_vector.default.weight",
    ),
    "alpha": (".alpha",),
}
"""Part to the ends of its names in files."""

UNSUPPORTED = {
    ".oft_blocks": "an OFT",
    ".oft_diag": "an OFT",
    ".oft_R.weight": "an OFT",
    ".on_input": "an IA3",
    ".a1.weight": "a GLoRA",
    ".boft_R": "a BOFT",
    ".vera_lambda_b": "a VeRA",
    ".set_weight": "a full set of weights",
    ".reshape_weight": "a LoRA that changes the shapes of layers",
    ".lora_A.bias": "a LoRA with biases of its own",
    ".lora_B.bias": "a LoRA with biases of its own",
}
"""Ends of names, with the type of the file; none of these can be applied."""

_PART_OF_SUFFIX = {suffix: part for part, suffixes in SUFFIXES.items() for suffix in suffixes}
_LONGEST_FIRST = sorted(_PART_OF_SUFFIX, key=len, reverse=True)
_EMBEDDING = re.compile(r"bundle_emb\.(.+?)\.(string_to_param\.[^.]+|emb_params|clip_l|clip_g)", re.DOTALL)
_MARKERS = {
    "lora_controlnet": "is a LoRA-ControlNet, which is not supported; use a ControlNet or a LoRA",
}
_PEFT_MAGNITUDE = ".lora_magnitude_vector"
"""Of the output channels, also where its shape is (1, channels, 1, 1), which `dora_scale` has for inputs."""
_SHOWN = 100


@dataclass(frozen=True)
class LoraParts:
    """The content of a LoRA file.

    Attributes:
        layers: the tensors of each layer.
        embeddings: textual inversions in the file: name in prompts to the tensors of text encoders.
    """

    layers: dict[LayerId, dict[str, torch.Tensor]] = field(default_factory=dict)
    embeddings: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)


def group_tensors(tensors: Mapping[str, torch.Tensor], layers: LoraLayers) -> LoraParts:
    """The tensors of a file by layers.

    Raises:
        AdapterFileError: one is of an unsupported type, or belongs to no layer of the model.
    """
    check_names(tensors)
    parts = LoraParts()
    for name, tensor in tensors.items():
        if match := _EMBEDDING.fullmatch(name):
            token, encoder = match.groups()
            parts.embeddings.setdefault(token, {})[encoder] = tensor
            continue
        suffix = _suffix(name) or ""
        layer = layers.find(name.removesuffix(suffix))
        if layer is None:
            raise AdapterFileError(_no_layer(name.removesuffix(suffix), layers))
        of_layer, part = parts.layers.setdefault(layer, {}), _PART_OF_SUFFIX[suffix]
        if part in of_layer:
            raise AdapterFileError(f"has weights twice for {layer.name}: {name[:_SHOWN]}; save it again")
        of_layer[part] = tensor.flatten() if suffix.startswith(_PEFT_MAGNITUDE) else tensor
    return parts


def _suffix(name: str) -> str | None:
    return next((suffix for suffix in _LONGEST_FIRST if name.endswith(suffix)), None)


def check_names(names: Collection[str]) -> None:
    """Checks that all tensors are parts of LoRAs, whatever the model.

    Raises:
        AdapterFileError: the file is something else; the error names it.
    """
    for name in names:
        if name in _MARKERS:
            raise AdapterFileError(_MARKERS[name])
        for end, type_name in UNSUPPORTED.items():
            if name.endswith(end):
                raise AdapterFileError(f"is {type_name}, which is not supported; use a LoRA, LoHa or LoKr")
    if not any((suffix := _suffix(name)) and suffix != ".alpha" for name in names):
        raise AdapterFileError("has no LoRA weights; upload a LoRA")
    for name in names:
        if _suffix(name) is None and not _EMBEDDING.fullmatch(name):
            raise AdapterFileError(
                f"has weights of an unknown type, {name[:_SHOWN]}; use a LoRA, LoHa or LoKr"
            )


def _no_layer(name: str, layers: LoraLayers) -> str:
    component = component_of(name)
    if component is not None and component not in layers.components:
        return f"{WRONG_FAMILY}: this model has no {component}; use one made for this model"
    if component is None:
        return (
            f"has weights outside the UNet and the text encoders, for {name[:_SHOWN]}; "
            "use a LoRA made for Stable Diffusion"
        )
    return (
        f"has weights for {name[:_SHOWN]}, a layer that this model does not have; use one made for this model"
    )
