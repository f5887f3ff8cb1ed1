"""Several LoRAs side by side, so that each row of a batch has LoRAs of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import torch

from inference.diffusion.adapters.loaded_lora import LayerChanges
from inference.diffusion.adapters.lora_layers import AdaptableLayer
from inference.diffusion.adapters.low_rank_layer import RowsTerm
from inference.diffusion.modules.device_copy import copy_to_device

MAX_RANK = 64
"""Of a set of LoRAs that shares forward passes with others: the products are computed for all rows. Eight
sets of this rank add half of the linear layers' arithmetic in Stable Diffusion 1.x."""

LoraOfRow = tuple[int, float] | None
"""The serial of a LoRA's changes, and its weight; None for a row without a LoRA."""

_Columns = tuple[tuple[int, int, float], ...]
"""Of the joined ranks of a layer: serial of the LoRA's changes, rank, scaling factor."""
_SERIALS = count(1)


@dataclass(frozen=True, eq=False)
class _JoinedLayer:
    """The low-rank weights of several LoRAs for one layer, joined along the rank."""

    down: torch.Tensor
    up: torch.Tensor
    columns: _Columns


@dataclass(frozen=True, eq=False)
class _RowTensors:
    """The tensors of `RowsTerm` that depend on the rows."""

    others: Mapping[int, torch.Tensor]
    scales: Mapping[int, torch.Tensor]

    @classmethod
    def of(cls, others: torch.Tensor, scales: torch.Tensor) -> "_RowTensors":
        return cls(
            {2: others, 3: others[:, None], 4: others[:, :, None, None]},
            {2: scales[:, None], 3: scales[:, None, None], 4: scales[:, None, None, None]},
        )


@dataclass(frozen=True, eq=False)
class CombinedLoras:
    """The low-rank weights of several LoRAs, joined for each layer: one product for all rows and LoRAs.

    Attributes:
        layers: the joined weights, a copy of the LoRAs' own.
        serial: of the joining; the same LoRAs, joined again, have another one, and tensors of their own.
    """

    layers: Mapping[AdaptableLayer, _JoinedLayer]
    serial: int = field(default_factory=lambda: next(_SERIALS))
    _rows: dict[tuple[_Columns, int], _RowTensors] = field(default_factory=dict)

    @classmethod
    def of(cls, loras: Sequence[LayerChanges]) -> "CombinedLoras":
        """Joins plain LoRA weights."""
        layers = dict.fromkeys(layer for lora in loras for layer in lora.low_rank)
        return cls({layer: _join(loras, layer) for layer in layers})

    @property
    def size_bytes(self) -> int:
        """Of the joined weights."""
        return sum(each.down.nbytes + each.up.nbytes for each in self.layers.values())

    def terms(self, rows: Sequence[LoraOfRow]) -> Iterator[tuple[AdaptableLayer, RowsTerm]]:
        """The term of each layer for these rows; for equally many rows always with the same tensors."""
        written: dict[_Columns, _RowTensors] = {}
        for layer, joined in self.layers.items():
            if joined.columns not in written:
                written[joined.columns] = self._write(joined, rows)
            of_rows = written[joined.columns]
            yield layer, RowsTerm(joined.down, joined.up, of_rows.others, of_rows.scales)

    def _write(self, joined: _JoinedLayer, rows: Sequence[LoraOfRow]) -> _RowTensors:
        serials = [None if row is None else row[0] for row in rows]
        owners = [serial for serial, rank, _ in joined.columns for _ in range(rank)]
        factors = {serial: factor for serial, _, factor in joined.columns}
        scales = [0.0 if row is None else row[1] * factors.get(row[0], 0.0) for row in rows]
        values = (
            torch.tensor([[serial != owner for owner in owners] for serial in serials]),
            torch.tensor(scales, dtype=torch.float32),
        )
        others, scaled = (copy_to_device(each, joined.down.device) for each in values)
        key = (joined.columns, len(rows))
        if key not in self._rows:
            self._rows[key] = _RowTensors.of(others, scaled)
        self._rows[key].others[2].copy_(others)
        self._rows[key].scales[2].copy_(scaled[:, None])
        return self._rows[key]


def can_combine(loras: Sequence[LayerChanges]) -> bool:
    """Whether rows with this set of LoRAs can share forward passes with rows that have others."""
    return not any(lora.deltas for lora in loras) and sum(lora.rank for lora in loras) <= MAX_RANK


def _join(loras: Sequence[LayerChanges], layer: AdaptableLayer) -> _JoinedLayer:
    of_layer = [(lora.serial, lora.low_rank[layer]) for lora in loras if layer in lora.low_rank]
    return _JoinedLayer(
        torch.cat([weights.down for _, weights in of_layer]),
        torch.cat([weights.up for _, weights in of_layer], dim=1),
        tuple((serial, weights.rank, weights.alpha / weights.rank) for serial, weights in of_layer),
    )
