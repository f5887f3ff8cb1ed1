"""The layers of a pipeline that LoRAs change, and the names that LoRA files have for them."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from inference.diffusion.adapters.ldm_names import ldm_name
from inference.diffusion.modules.float8_linear import Float8Linear

COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
"""The components of a pipeline that LoRAs are applied to."""

PREFIXES: Mapping[str, tuple[str, ...]] = {
    "unet": (
        *("unet.", "base_model.model.unet.", "base_model.model.", "diffusion_model."),
        *("model.diffusion_model.", "lora_unet_", "lora_unet.", ""),
    ),
    "text_encoder": (
        *("text_encoder.", "base_model.model.text_encoder.", "clip_l.", "clip_l.transformer."),
        *("text_encoders.clip_l.transformer.", "lora_te_", "lora_te1_", "base_model.model.", ""),
    ),
    "text_encoder_2": (
        *("text_encoder_2.", "base_model.model.text_encoder_2.", "clip_g.", "clip_g.transformer."),
        *("text_encoders.clip_g.transformer.", "lora_te2_"),
    ),
}
"""The prefixes of layer names in files, for each component. Those of kohya's trainer end with an underscore,
and dots are underscores after them."""

_AMBIGUOUS = ("base_model.model.", "")
"""Prefixes of the UNet's layers, and of those of a text encoder whose names begin with `text_model.`."""

_TYPES = (nn.Linear, Float8Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm, nn.Embedding)
_OLD_NAMES = (
    ("to_out.0", "to_out"),
    *((f"self_attn.{name}_proj", f"self_attn.to_{name}") for name in ("q", "k", "v", "out")),
)
"""Ends of names, with those of diffusers' attention processors, before peft."""


@dataclass(frozen=True)
class LayerId:
    """A layer of a pipeline.

    Attributes:
        component: one of COMPONENTS.
        name: of the module in the component.
    """

    component: str
    name: str


@dataclass(frozen=True, eq=False)
class AdaptableLayer:
    """A layer, and its place in a model.

    Attributes:
        id: names the place.
        module: the layer itself.
        parent: the module that has it as a child.
        child: its name in the parent.
    """

    id: LayerId
    module: Any
    parent: nn.Module
    child: str

    def put(self, module: nn.Module) -> None:
        """Puts a module in the layer's place."""
        setattr(self.parent, self.child, module)


class LoraLayers:
    """The layers of a pipeline by their names in files."""

    def __init__(self, pipeline: Any) -> None:
        """Takes a pipeline that consists of its own modules."""
        self._layers: dict[LayerId, AdaptableLayer] = {}
        self._ids: dict[str, LayerId] = {}
        for component in COMPONENTS:
            model = getattr(pipeline, component, None)
            if model is not None:
                self._add(component, model)
        self.components = {layer.component for layer in self._layers}

    def find(self, name: str) -> LayerId | None:
        """The layer of this name in a file; None if the model does not have it."""
        return self._ids.get(name.replace(".processor.", "."))

    def layer(self, layer: LayerId) -> AdaptableLayer:
        """The layer itself, with its place."""
        return self._layers[layer]

    def _add(self, component: str, model: nn.Module) -> None:
        layers = {layer.id.name: layer for layer in _adaptable(component, model)}
        for name, each in layers.items():
            layer = each.id
            self._layers[layer] = each
            for alias in _aliases(component, name, model, layers):
                for prefix in PREFIXES[component]:
                    is_clear = prefix not in _AMBIGUOUS or alias.startswith("text_model.")
                    if component == "unet" or is_clear:
                        rest = alias.replace(".", "_") if prefix.endswith("_") else alias
                        self._ids[prefix + rest] = layer


def component_of(name: str) -> str | None:
    """The component that the prefix of a layer's name in a file stands for; None without one."""
    matching = [
        (prefix, component)
        for component, prefixes in PREFIXES.items()
        for prefix in prefixes
        if prefix and name.startswith(prefix)
    ]
    return max(matching, key=lambda each: len(each[0]), default=(None, None))[1]


def _adaptable(component: str, model: nn.Module, prefix: str = "") -> Iterator[AdaptableLayer]:
    """The layers that can be changed."""
    for name, child in model.named_children():
        if isinstance(child, _TYPES) and child.weight is not None:
            yield AdaptableLayer(LayerId(component, prefix + name), child, model, name)
        else:
            yield from _adaptable(component, child, f"{prefix}{name}.")


def _aliases(component: str, name: str, model: Any, names: Collection[str]) -> Iterator[str]:
    """The names that files have for a layer, without prefixes."""
    aliases = [name]
    if component == "unet":
        layers_per_block = model.config.layers_per_block
        block = re.match(r"(up|down)_blocks\.\d+\.", name)
        if isinstance(layers_per_block, int):
            has_attention = block is not None and any(
                other.startswith(f"{block.group()}attentions.") for other in names
            )
            original = ldm_name(name, layers_per_block=layers_per_block, has_attention=has_attention)
            aliases += [original] if original else []
    elif name.startswith("text_model."):
        aliases.append(name.removeprefix("text_model."))
    else:
        aliases.append(f"text_model.{name}")
    for each in aliases:
        yield each
        for end, old in _OLD_NAMES:
            if each.endswith(f".{end}"):
                yield each.removesuffix(end) + old
