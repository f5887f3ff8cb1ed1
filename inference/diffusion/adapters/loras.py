"""LoRAs on a pipeline's UNet and text encoders, and which of them act."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer as BearingLayer
from torch import nn

from inference.diffusion.adapters.adapter_files import identify
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.lora_file import Lora, LoraLayer, read_lora
from inference.engine.interface import AdapterFile

LoraWeights = tuple[tuple[str, float], ...]
"""Ids of LoRAs, each with its weight."""

_COMPONENTS = ("unet", "text_encoder", "text_encoder_2")


@dataclass(frozen=True, eq=False)
class LoadedLora:
    """A LoRA on the device, where it is for as long as this object is held.

    Attributes:
        id: the same for the same content under the same name.
        size_bytes: what it occupies.
    """

    id: str
    size_bytes: int


class Loras:
    """Puts LoRAs beside the layers that they are for, and takes them away without a trace.

    The layers' own weights are never touched, so that what is drawn without a LoRA does not depend on which
    were there before. peft does the arithmetic; it is used by the layer, since transformers' loading of
    adapters starts those anew that it does not find in the file at hand.
    """

    def __init__(self, pipeline: Any, cache: DeviceCache) -> None:
        """Takes the pipeline, and what decides which LoRAs stay."""
        self._pipeline = pipeline
        self._cache = cache
        self._loaded: dict[str, ReferenceType[LoadedLora]] = {}
        self._lora_weights: LoraWeights | None = ()

    def load(self, file: AdapterFile) -> LoadedLora:
        """The LoRA, loaded unless it is there; it does not act yet.

        Raises:
            AdapterFileError: it cannot be used; nothing of it is left behind.
        """
        self._remove_those_that_have_left()
        return self._cache.get_or_load(f"lora {identify(file)}", lambda: self._load(file))

    def activate(self, lora_weights: LoraWeights) -> None:
        """Lets these LoRAs act, and no others."""
        if lora_weights == self._lora_weights:
            return
        self._lora_weights = None
        self._remove_those_that_have_left()
        for _, _, layer in self._layers():
            here = [(lora, weight) for lora, weight in lora_weights if lora in layer.scaling]
            layer.enable_adapters(enabled=bool(here))
            layer.set_adapter([lora for lora, _ in here], inference_mode=True)
            for lora, weight in here:
                layer.set_scale(lora, weight)
        self._lora_weights = lora_weights

    def _load(self, file: AdapterFile) -> LoadedLora:
        lora, name = read_lora(file.path, self._pipeline), identify(file)
        self._lora_weights = None
        try:
            for component, layers in lora.items():
                _inject(getattr(self._pipeline, component), name, layers)
        except BaseException:
            self._remove(name)
            raise
        loaded = LoadedLora(name, _size_bytes(lora, self._pipeline.unet.dtype))
        self._loaded[name] = ref(loaded)
        return loaded

    def _remove_those_that_have_left(self) -> None:
        for name in [name for name, loaded in self._loaded.items() if loaded() is None]:
            del self._loaded[name]
            self._remove(name)

    def _remove(self, name: str) -> None:
        self._lora_weights = None
        for parent, child, layer in list(self._layers()):
            layer.set_adapter([], inference_mode=True)
            layer.delete_adapter(name)
            if not layer.scaling:
                setattr(parent, child, layer.get_base_layer())

    def _layers(self) -> Iterator[tuple[nn.Module, str, Any]]:
        """The layers that bear LoRAs, each with its parent and its name there."""
        for component in _COMPONENTS:
            for parent in (getattr(self._pipeline, component, None) or nn.Module()).modules():
                for child, layer in parent.named_children():
                    if isinstance(layer, BearingLayer):
                        yield parent, child, layer


def _inject(model: nn.Module, name: str, layers: Mapping[str, LoraLayer]) -> None:
    ranks = {f"^{layer}": lora.rank for layer, lora in layers.items()}
    rank = next(iter(ranks.values()))
    settings = LoraConfig(
        r=rank,
        inference_mode=True,
        target_modules=list(layers),
        rank_pattern={layer: other for layer, other in ranks.items() if other != rank},
    )
    inject_adapter_in_model(settings, model, name, low_cpu_mem_usage=True)
    del model.peft_config  # peft warns of a second adapter where it finds the first one's
    for layer, lora in layers.items():
        bearing: Any = model.get_submodule(layer)
        bearing.lora_alpha[name] = lora.alpha
        weight = bearing.get_base_layer().weight
        for half, values in ((bearing.lora_A, lora.down), (bearing.lora_B, lora.up)):
            values = values.to(weight.device, weight.dtype)
            half[name].weight = nn.Parameter(values, requires_grad=False)


def _size_bytes(lora: Lora, dtype: torch.dtype) -> int:
    numbers = sum(each.down.numel() + each.up.numel() for layers in lora.values() for each in layers.values())
    return numbers * dtype.itemsize
