"""Changes of layers' weights by LoCon, LoHa, LoKr, DoRA and full differences.

The arithmetic is that of LyCORIS (https://github.com/KohakuBlueleaf/LyCORIS), in float32.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from inference.diffusion.adapters.adapter_files import AdapterFileError

Parts = Mapping[str, torch.Tensor]
_TUCKER = "i j ..., i p, j r -> p r ..."
_EPSILON = torch.finfo(torch.float32).eps


@dataclass(frozen=True)
class Delta:
    """The changes of one layer's weight and bias.

    Attributes:
        parts: named as in `inference.diffusion.adapters.lora_parts`, without alpha; at least one.
        scale: factor of the low-rank weights; 1 for full differences.
    """

    parts: Parts
    scale: float

    def of_weight(self, weight: torch.Tensor) -> torch.Tensor | None:
        """The change of a weight, in float32 and of its shape; None if only the bias changes.

        Raises:
            RuntimeError: it has another number of elements than the weight.
        """
        family = _family(self.parts)
        if family is None:
            return None
        parts = {name: part.to(weight.device, torch.float32) for name, part in self.parts.items()}
        delta = (self.scale * family.compute(parts)).reshape(weight.shape)
        if "magnitude" in parts:
            return _rescaled(weight.float() + delta, parts["magnitude"]) - weight.float()
        return delta

    def of_bias(self, weight: torch.Tensor) -> torch.Tensor | None:
        """The change of the bias of the layer with this weight, in float32; None if there is none.

        Raises:
            RuntimeError: it has another number of elements than the bias.
        """
        bias = self.parts.get("diff_b")
        return None if bias is None else bias.to(weight.device, torch.float32).reshape(weight.shape[0])

    def to(self, device: Any) -> "Delta":
        """The same on another device."""
        return Delta({name: part.to(device) for name, part in self.parts.items()}, self.scale)

    @property
    def size_bytes(self) -> int:
        """Of the parts."""
        return sum(part.numel() * part.element_size() for part in self.parts.values())


def delta_of(parts: Parts, alpha: float | None) -> Delta | None:
    """The changes that a layer's parts describe; None at rank 0.

    Args:
        parts: without alpha.
        alpha: the scaling factor times the rank; None: the factor is 1.

    Raises:
        AdapterFileError: parts are missing, or do not belong together.
    """
    family = _family(parts)
    if family is None:
        if "magnitude" in parts:
            raise AdapterFileError("is incomplete: a DoRA magnitude without LoRA weights; upload it again")
        return Delta(parts, 1.0) if parts else None
    unexpected = parts.keys() - family.parts - {"diff_b", "magnitude"}
    if unexpected:
        raise AdapterFileError(f"has {min(unexpected)} beside {family.name}; use a file of one type")
    for missing in family.missing(parts):
        raise AdapterFileError(f"is incomplete: {family.name} without {missing}; upload it again")
    if not all(part.numel() for part in parts.values()):
        return None
    rank = family.rank(parts)
    return Delta(parts, 1.0 if alpha is None or rank is None else alpha / rank)


@dataclass(frozen=True)
class Family:
    """A way to write the change of a weight.

    Attributes:
        name: for errors.
        needed: parts, of which each group has an alternative: one part, or several that are multiplied.
        optional: further parts.
        rank_of: parts whose first dimension is the rank, the preferred one first.
        compute: the change from the parts, with the weight's number of elements.
    """

    name: str
    needed: tuple[tuple[frozenset[str], ...], ...]
    optional: tuple[frozenset[str], ...]
    rank_of: tuple[str, ...]
    compute: Callable[[Parts], torch.Tensor]

    @property
    def parts(self) -> set[str]:
        """All parts that it can have."""
        return {
            part for group in (*self.needed, self.optional) for alternative in group for part in alternative
        }

    def missing(self, parts: Parts) -> list[str]:
        """Names of parts that are missing."""
        missing = [
            min(group[0] - parts.keys() or group[0])
            for group in self.needed
            if not any(alternative <= parts.keys() for alternative in group)
        ]
        return missing + [
            min(together - parts.keys())
            for together in self.optional
            if together & parts.keys() and not together <= parts.keys()
        ]

    def rank(self, parts: Parts) -> int | None:
        """The rank; None if nothing is of low rank."""
        return next((parts[name].shape[0] for name in self.rank_of if name in parts), None)


def _lora(parts: Parts) -> torch.Tensor:
    down, up = parts["down"].flatten(1), parts["up"].flatten(1)
    if "mid" in parts:
        return torch.einsum(_TUCKER, parts["mid"], up.T, down)
    return up @ down


def _loha(parts: Parts) -> torch.Tensor:
    factors = []
    for index in "12":
        a, b = parts[f"hada_w{index}_a"], parts[f"hada_w{index}_b"]
        core = parts.get(f"hada_t{index}")
        factors.append(a @ b if core is None else torch.einsum(_TUCKER, core, a, b))
    return factors[0] * factors[1]


def _lokr(parts: Parts) -> torch.Tensor:
    first, second = parts.get("lokr_w1"), parts.get("lokr_w2")
    if first is None:
        first = parts["lokr_w1_a"] @ parts["lokr_w1_b"]
    if second is None:
        a, b, core = parts["lokr_w2_a"], parts["lokr_w2_b"], parts.get("lokr_t2")
        second = a @ b if core is None else torch.einsum(_TUCKER, core, a, b)
    ones = [1] * (second.ndim - first.ndim)
    return torch.kron(first.reshape(*first.shape, *ones), second.contiguous())


def _full(parts: Parts) -> torch.Tensor:
    return parts["diff"]


def _one(*names: str) -> tuple[frozenset[str], ...]:
    return (frozenset(names),)


FAMILIES: Mapping[str, Family] = {
    "down": Family("a LoRA", (_one("down"), _one("up")), _one("mid"), ("down",), _lora),
    "hada": Family(
        "a LoHa",
        (_one("hada_w1_a"), _one("hada_w1_b"), _one("hada_w2_a"), _one("hada_w2_b")),
        _one("hada_t1", "hada_t2"),
        ("hada_w1_b",),
        _loha,
    ),
    "lokr": Family(
        "a LoKr",
        (
            (frozenset({"lokr_w1"}), frozenset({"lokr_w1_a", "lokr_w1_b"})),
            (frozenset({"lokr_w2"}), frozenset({"lokr_w2_a", "lokr_w2_b"})),
        ),
        _one("lokr_t2"),
        ("lokr_w2_b", "lokr_w1_b"),
        _lokr,
    ),
    "diff": Family("a full difference", (_one("diff"),), (), (), _full),
}
"""First letters of the parts' names to the family that they belong to."""


def _family(parts: Parts) -> Family | None:
    """The way in which the parts change the weight; None if they do not."""
    names = {"down" if name in ("up", "mid") else name[:4] for name in parts if name != "diff_b"}
    return next((family for key, family in FAMILIES.items() if key in names), None)


def _rescaled(weight: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    """DoRA: the weight with these norms, of its output channels or of its input channels.

    The shape is (outputs,), (outputs, 1, ...), or (1, inputs, ...).

    Raises:
        RuntimeError: the magnitude has the shape of neither.
    """
    outputs, inputs = weight.shape[:2]
    ones = [1] * (weight.ndim - 2)
    by_output = magnitude.ndim < 2 or magnitude.shape[0] == outputs
    shape = (outputs, 1, *ones) if by_output else (1, inputs, *ones)
    channels = weight if by_output else weight.transpose(0, 1)
    norms = torch.linalg.vector_norm(channels.flatten(1), dim=1).reshape(shape)
    factors: torch.Tensor = magnitude.reshape(shape) / (norms + _EPSILON)
    return weight * factors
