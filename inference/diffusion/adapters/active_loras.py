"""Activation of LoRAs on layers: the layers are adapted while LoRAs are active, and plain otherwise."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest

from inference.diffusion.adapters.combined_loras import CombinedLoras, LoraOfRow
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LayerChanges
from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_layers import AdaptableLayer
from inference.diffusion.adapters.low_rank_layer import LowRankLayer, Term
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
            cache: for weights that are computed from those of the active LoRAs.
        """
        self._cache = cache
        self._low_rank_layers: dict[AdaptableLayer, LowRankLayer] = {}
        self._adapted: set[AdaptableLayer] = set()
        self._weights = ReplaceableWeights()
        self._merged: MergedWeights | None = None
        self._combined: tuple[CombinedLoras, ...] = ()
        self._active: tuple[Hashable, ...] = ()

    @property
    def state(self) -> Hashable:
        """Equal values: the same tensors at the same addresses; () for plain layers."""
        if self._combined:
            return ("rows", len(self._active) - 1, *(each.serial for each in self._combined))
        return self._active if self._merged is None else (*self._active, self._merged.serial)

    def activate(self, loras: WeightedChanges) -> None:
        """Activates exactly these changes; after an error the layers are plain."""
        key = _key(loras)
        if key == self._active:
            return
        with self._changing():
            self._combined = ()
            self._replace_weights(key, _deltas(loras))
            self._adapt(_terms(loras))
            self._active = key

    def activate_rows(self, rows: Sequence[WeightedChanges]) -> None:
        """Activates these changes for each row of the inputs; after an error the layers are plain.

        Args:
            rows: for each its changes, with plain LoRA weights only.
        """
        keys = [_key(row) for row in rows]
        if all(key == keys[0] for key in keys):
            self.activate(rows[0])
            return
        key = ("rows", *keys)
        if key == self._active:
            return
        by_position = list(zip_longest(*keys))
        with self._changing():
            self._replace_weights((), {})
            loras = {changes.serial: changes for row in rows for changes, _ in row}
            self._combined = tuple(self._combine(of_rows, loras) for of_rows in by_position)
            terms: dict[AdaptableLayer, list[Term]] = {}
            for combined, of_rows in zip(self._combined, by_position, strict=True):
                for layer, term in combined.terms(of_rows):
                    terms.setdefault(layer, []).append(term)
            self._adapt(terms)
            self._active = key

    def _combine(self, rows: Sequence[LoraOfRow], loras: Mapping[int, LayerChanges]) -> CombinedLoras:
        serials = sorted({row[0] for row in rows if row is not None})
        return self._cache.get_or_load(
            f"combined {serials}", lambda: CombinedLoras.of([loras[serial] for serial in serials])
        )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._replace_weights((), {})
            self._adapt({})
            self._combined, self._active = (), ()
            raise

    def _replace_weights(self, key: Hashable, deltas: Mapping[AdaptableLayer, WeightedDeltas]) -> None:
        self._merged = None
        if not deltas:
            self._weights.restore()
            return

        def merge() -> MergedWeights:
            self._weights.restore()
            return MergedWeights.of({layer.module: of_layer for layer, of_layer in deltas.items()})

        self._merged = self._cache.get_or_load(f"merged {key}", merge)
        self._weights.replace(self._merged)

    def _adapt(self, terms: Mapping[AdaptableLayer, Sequence[Term]]) -> None:
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


def _key(loras: WeightedChanges) -> tuple[tuple[int, float], ...]:
    return tuple((changes.serial, weight) for changes, weight in loras if changes)


def _terms(loras: WeightedChanges) -> dict[AdaptableLayer, list[Term]]:
    """The terms of each layer."""
    terms: dict[AdaptableLayer, list[Term]] = {}
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
