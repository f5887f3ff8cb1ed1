"""Loading and activation of LoRAs on a pipeline's UNet and text encoders."""

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import torch
from torch import nn

from inference.diffusion.adapters.active_loras import ActiveLoras
from inference.diffusion.adapters.adapter_files import AdapterFileError, identify
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LayerChanges, LoadedLora, LoraWeights
from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_file import Lora, read_lora
from inference.diffusion.adapters.lora_layers import AdaptableLayer, LayerId, LoraLayers
from inference.diffusion.adapters.low_rank_layer import LowRankWeights
from inference.diffusion.adapters.merged_weights import merge
from inference.diffusion.modules.float8_linear import Float8Linear
from inference.engine.interface import AdapterFile

_T = TypeVar("_T")


class Loras:
    """Loads LoRAs, and activates them on the UNet and on the text encoders.

    The layers' own weights are never modified, so an image without LoRAs does not depend on the LoRAs that
    were loaded before. LoRAs that are loaded and not active cost memory only: the layers are the plain ones.
    """

    def __init__(self, pipeline: Any, cache: DeviceCache, *, merge: bool = False) -> None:
        """Takes the pipeline.

        Args:
            pipeline: the pipeline.
            cache: for the LoRAs.
            merge: treat the UNet's low-rank weights as changes of its weights.
        """
        self._pipeline = pipeline
        self._cache = cache
        self._merge = merge
        self._loaded: WeakValueDictionary[str, LoadedLora] = WeakValueDictionary()
        self._unet = ActiveLoras(cache)
        self._text_encoders = ActiveLoras(cache)

    @property
    def unet_state(self) -> Hashable:
        """See `inference.diffusion.adapters.adapter_set.AdapterLoader.unet_state`."""
        return self._unet.state

    def load(self, file: AdapterFile) -> LoadedLora:
        """Loads the LoRA, unless it is cached; it has no effect until it is activated.

        Raises:
            AdapterFileError: the LoRA cannot be used.
        """
        return self._cache.get_or_load(f"lora {identify(file)}", lambda: self._load(file))

    def activate(self, rows: Sequence[LoraWeights]) -> None:
        """See `inference.diffusion.adapters.adapter_set.AdapterLoader.activate`."""
        self._unet.activate_rows(
            [[(self._loaded[lora].unet, weight) for lora, weight in row] for row in rows]
        )

    def activate_on_text_encoders(self, lora_weights: LoraWeights) -> None:
        """Activates exactly these LoRAs on the text encoders."""
        self._text_encoders.activate(
            [(self._loaded[lora].text_encoders, weight) for lora, weight in lora_weights]
        )

    @cached_property
    def _layers(self) -> LoraLayers:
        return LoraLayers(self._pipeline)

    def _load(self, file: AdapterFile) -> LoadedLora:
        lora = read_lora(file.path, self._layers)
        lora = _merged(lora, self._layers) if self._merge else lora
        if lora.deltas:  # they are checked with the layers' own weights
            self._unet.activate([])
            self._text_encoders.activate([])
        unet = self._changes(lora, {"unet"})
        text_encoders = self._changes(lora, {"text_encoder", "text_encoder_2"})
        loaded = LoadedLora(identify(file), unet, text_encoders, lora.embeddings)
        self._loaded[loaded.id] = loaded
        return loaded

    def _changes(self, lora: Lora, components: Container[str]) -> LayerChanges:
        """The changes of these components, on the device.

        Raises:
            AdapterFileError: they exceed the range of the layers' dtype.
        """
        device = self._pipeline.unet.device  # diffusers walks over all modules to find it
        return LayerChanges(
            {
                layer: _low_rank_to_device(layer, weights, device)
                for layer, weights in self._of(components, lora.low_rank)
            },
            {
                layer: _delta_to_device(layer, delta, device)
                for layer, delta in self._of(components, lora.deltas)
            },
        )

    def _of(
        self, components: Container[str], values: Mapping[LayerId, _T]
    ) -> Iterator[tuple[AdaptableLayer, _T]]:
        """The values of these components' layers."""
        for layer, value in values.items():
            if layer.component in components:
                yield self._layers.layer(layer), value


def _merged(lora: Lora, layers: LoraLayers) -> Lora:
    """The LoRA with its low-rank weights of the UNet as changes of the layers' weights."""
    low_rank, deltas = dict(lora.low_rank), dict(lora.deltas)
    for layer, weights in lora.low_rank.items():
        if layer.component == "unet" and isinstance(layers.layer(layer).module, nn.Linear | nn.Conv2d):
            del low_rank[layer]
            bias = deltas[layer].parts if layer in deltas else {}
            parts = {"down": weights.down, "up": weights.up, **bias}
            deltas[layer] = Delta(parts, weights.alpha / weights.rank)
    return Lora(low_rank, deltas, lora.embeddings)


def _low_rank_to_device(
    layer: AdaptableLayer, weights: LowRankWeights, device: torch.device
) -> LowRankWeights:
    module = layer.module
    dtype = module.input_dtype if isinstance(module, Float8Linear) else module.weight.dtype
    down, up = (values.to(dtype) for values in (weights.down, weights.up))
    for values in (down, up):
        _check_range(layer, values)
    return LowRankWeights(down.to(device), up.to(device), weights.alpha)


def _delta_to_device(layer: AdaptableLayer, delta: Delta, device: torch.device) -> Delta:
    on_device = delta.to(device)
    for values in merge(layer.module, [(on_device, 1.0)]):
        if values is not None:
            _check_range(layer, values)
    return on_device


def _check_range(layer: AdaptableLayer, values: torch.Tensor) -> None:
    if not values.isfinite().all():
        raise AdapterFileError(
            f"has weights for {layer.id.name[:100]} that exceed the range of {values.dtype}; use another"
        )
