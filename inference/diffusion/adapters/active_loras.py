"""Activation of LoRAs on layers: the layers are adapted while LoRAs are active, and plain otherwise."""

from collections.abc import Hashable, Mapping, Sequence

from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LayerChanges
from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_layers import AdaptableLayer
from inference.diffusion.adapters.low_rank_layer import LowRankLayer, LowRankTerm
from inference.diffusion.adapters.merged_weights import MergedWeights, ReplaceableWeights, WeightedDeltas

WeightedChanges = Sequence[tuple[LayerChanges, float]]
"""Changes by LoRAs, each with the weight of the LoRA."""


class ActiveLoras:
    """The active LoRAs of layers that are activated together.

    Plain LoRA weights are applied beside the layer. Weights of every other type replace the layer's own; they
    are computed once as long as the device cache keeps them. A change touches the layers that have LoRAs
    before or after it, and no others.
    """

    def __init__(self, cache: DeviceCache) -> None:
        """Begins with plain layers.

        Args:
            cache: for weights that replace layers' own.
        """
        self._cache = cache
        self._low_rank_layers: dict[AdaptableLayer, LowRankLayer] = {}
        self._adapted: set[AdaptableLayer] = set()
        self._weights = ReplaceableWeights()
        self._merged: MergedWeights | None = None
        self._active: tuple[tuple[int, float], ...] = ()

    @property
    def state(self) -> Hashable:
        """Equal values: the same tensors at the same addresses; () for plain layers."""
        return self._active if self._merged is None else (*self._active, self._merged.serial)

    def activate(self, loras: WeightedChanges) -> None:
        """Activates exactly these changes; after an error the layers are plain."""
        loras = [(changes, weight) for changes, weight in loras if changes]
        key = tuple((changes.serial, weight) for changes, weight in loras)
        if key == self._active:
            return
        try:
            self._replace_weights(key, _deltas(loras))
            self._adapt(_terms(loras))
        except BaseException:
            self._replace_weights((), {})
            self._adapt({})
            self._active = ()
            raise
        self._active = key

    def _replace_weights(self, key: Hashable, deltas: Mapping[AdaptableLayer, WeightedDeltas]) -> None:
        self._weights.restore()
        self._merged = None
        if deltas:
            by_module = {layer.module: of_layer for layer, of_layer in deltas.items()}
            self._merged = self._cache.get_or_load(f"merged {key}", lambda: MergedWeights.of(by_module))
            self._weights.replace(self._merged)

    def _adapt(self, terms: Mapping[AdaptableLayer, Sequence[LowRankTerm]]) -> None:
        for layer in self._adapted - terms.keys():
            self._low_rank_layers[layer].terms = ()
            layer.put(layer.module)
        for layer, of_layer in terms.items():
            if layer not in self._low_rank_layers:
                self._low_rank_layers[layer] = LowRankLayer(layer.module)
            self._low_rank_layers[layer].terms = of_layer
            if layer not in self._adapted:
                layer.put(self._low_rank_layers[layer])
        self._adapted = set(terms)


def _terms(loras: WeightedChanges) -> dict[AdaptableLayer, list[LowRankTerm]]:
    """The terms of each layer."""
    terms: dict[AdaptableLayer, list[LowRankTerm]] = {}
    for changes, weight in loras:
        for layer, of_layer in changes.low_rank.items():
            terms.setdefault(layer, []).append(of_layer.term(weight))
    return terms


def _deltas(loras: WeightedChanges) -> dict[AdaptableLayer, list[tuple[Delta, float]]]:
    """The changes of each layer's weights."""
    deltas: dict[AdaptableLayer, list[tuple[Delta, float]]] = {}
    for changes, weight in loras:
        for layer, delta in changes.deltas.items():
            deltas.setdefault(layer, []).append((delta, weight))
    return deltas
