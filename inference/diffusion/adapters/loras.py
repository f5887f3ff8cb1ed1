"""Loading and activation of LoRAs on a pipeline's UNet and text encoders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import ReferenceType, ref

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer as PeftLayer
from torch import nn

from inference.diffusion.adapters.adapter_files import AdapterFileError, identify
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_file import Lora, LoraLayer, read_lora
from inference.diffusion.adapters.lora_layers import COMPONENTS, LayerId, base_layer
from inference.diffusion.adapters.merged_weights import MergedWeights, merge
from inference.engine.interface import AdapterFile

LoraWeights = tuple[tuple[str, float], ...]
"""Ids of LoRAs, each with its weight."""


@dataclass(frozen=True, eq=False)
class LoadedLora:
    """A LoRA on the device, which stays loaded as long as this object is referenced.

    Attributes:
        id: depends on the name and the content.
        size_bytes: of its weights.
        deltas: the changes of layers that peft does not apply.
        embeddings: textual inversions in the file: name in prompts to the tensors of text encoders.
    """

    id: str
    size_bytes: int
    deltas: Mapping[LayerId, Delta]
    embeddings: Mapping[str, Mapping[str, torch.Tensor]]


class Loras:
    """Loads LoRAs, activates and removes them.

    Plain LoRA weights are injected into the layers with peft, as by diffusers. Weights of every other type
    replace the layers' own while they are active: LoHa, LoKr and DoRA cannot be stacked on one layer in peft.
    The layers' own weights are never modified, so an image without LoRAs does not depend on the LoRAs that
    were loaded before. peft is called directly, because transformers reinitialises every LoRA that is not in
    the file being loaded.
    """

    def __init__(self, pipeline: Any, cache: DeviceCache) -> None:
        """Takes the pipeline, and the cache for the LoRAs."""
        self._pipeline = pipeline
        self._cache = cache
        self._loaded: dict[str, ReferenceType[LoadedLora]] = {}
        self._merged = MergedWeights()
        self._active: LoraWeights | None = ()  # None after a change to the layers

    def load(self, file: AdapterFile) -> LoadedLora:
        """Loads the LoRA, unless it is cached; it has no effect until it is activated.

        Raises:
            AdapterFileError: the LoRA cannot be used; nothing of it stays on the device.
        """
        self._remove_unreferenced()
        return self._cache.get_or_load(f"lora {identify(file)}", lambda: self._load(file))

    def activate(self, lora_weights: LoraWeights) -> None:
        """Activates exactly these LoRAs."""
        if lora_weights == self._active:
            return
        self._active = None
        self._remove_unreferenced()
        for _, _, layer in self._layers():
            of_layer = [(lora, weight) for lora, weight in lora_weights if lora in layer.scaling]
            layer.enable_adapters(enabled=bool(of_layer))
            layer.set_adapter([lora for lora, _ in of_layer], inference_mode=True)
            for lora, weight in of_layer:
                layer.set_scale(lora, weight)
        self._merged.replace(self._deltas(lora_weights))
        self._active = lora_weights

    def _deltas(self, lora_weights: LoraWeights) -> dict[nn.Module, list[tuple[Delta, float]]]:
        """The changes by these LoRAs, for each layer."""
        by_layer: dict[nn.Module, list[tuple[Delta, float]]] = {}
        for lora, weight in lora_weights:
            loaded = self._loaded[lora]()
            for layer, delta in loaded.deltas.items() if loaded else ():
                by_layer.setdefault(base_layer(self._pipeline, layer), []).append((delta, weight))
        return by_layer

    def _load(self, file: AdapterFile) -> LoadedLora:
        self._merged.restore()
        self._active = None
        lora, name = read_lora(file.path, self._pipeline), identify(file)
        deltas = {layer: self._to_device(layer, delta) for layer, delta in lora.deltas.items()}
        try:
            for component in COMPONENTS:
                _inject(getattr(self._pipeline, component, None), name, lora.of(component))
        except BaseException:
            self._remove(name)
            raise
        size_bytes = _size_bytes(lora, self._pipeline.unet.dtype)
        loaded = LoadedLora(name, size_bytes, deltas, lora.embeddings)
        self._loaded[name] = ref(loaded)
        return loaded

    def _to_device(self, layer: LayerId, delta: Delta) -> Delta:
        """The change on the layer's device.

        Raises:
            AdapterFileError: it exceeds the range of the layer's dtype.
        """
        module = base_layer(self._pipeline, layer)
        on_device = delta.to(module.weight.device)
        for values in merge(module, [(on_device, 1.0)]):
            if values is not None:
                _check_range(layer.name, values)
        return on_device

    def _remove_unreferenced(self) -> None:
        """Removes the LoRAs that are neither cached nor in use."""
        for name in [name for name, loaded in self._loaded.items() if loaded() is None]:
            del self._loaded[name]
            self._remove(name)

    def _remove(self, name: str) -> None:
        self._active = None
        for parent, child, layer in list(self._layers()):
            layer.set_adapter([], inference_mode=True)
            layer.delete_adapter(name)
            if not layer.scaling:
                setattr(parent, child, layer.get_base_layer())

    def _layers(self) -> Iterator[tuple[nn.Module, str, Any]]:
        """The layers with LoRAs: parent module, name in it, and peft's layer."""
        for component in COMPONENTS:
            for parent in (getattr(self._pipeline, component, None) or nn.Module()).modules():
                for child, layer in parent.named_children():
                    if isinstance(layer, PeftLayer):
                        yield parent, child, layer


def _inject(model: Any, name: str, layers: Mapping[str, LoraLayer]) -> None:
    if not layers:
        return
    ranks = {f"^{layer}": lora.rank for layer, lora in layers.items()}
    rank = next(iter(ranks.values()))
    config = LoraConfig(
        r=rank,
        inference_mode=True,
        target_modules=list(layers),
        rank_pattern={layer: other for layer, other in ranks.items() if other != rank},
    )
    inject_adapter_in_model(config, model, name, low_cpu_mem_usage=True)
    del model.peft_config  # with it peft warns when a second LoRA is injected
    for layer, lora in layers.items():
        peft_layer: Any = model.get_submodule(layer)
        peft_layer.lora_alpha[name] = lora.alpha
        weight = peft_layer.get_base_layer().weight
        for modules, values in ((peft_layer.lora_A, lora.down), (peft_layer.lora_B, lora.up)):
            values = values.to(weight.device, weight.dtype)
            _check_range(layer, values)
            modules[name].weight = nn.Parameter(values, requires_grad=False)


def _check_range(layer: str, values: torch.Tensor) -> None:
    if not values.isfinite().all():
        raise AdapterFileError(
            f"has weights for {layer[:100]} that exceed the range of {values.dtype}; use another"
        )


def _size_bytes(lora: Lora, dtype: torch.dtype) -> int:
    numbers = sum(each.down.numel() + each.up.numel() for each in lora.low_rank.values())
    return numbers * dtype.itemsize + sum(delta.size_bytes for delta in lora.deltas.values())
