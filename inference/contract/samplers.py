"""The samplers a request may name, and the diffusers scheduler each one stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler by the name its users know.

    Attributes:
        name: the canonical name, as a result reports it.
        label: the name as interfaces show it.
        aliases: other accepted spellings.
        scheduler: the class in `diffusers`.
        options: what replaces the model's own scheduler configuration.
    """

    name: str
    label: str
    scheduler: str
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


SAMPLERS = (
    Sampler(name="euler", label="Euler", aliases=("eular",), scheduler="EulerDiscreteScheduler"),
    Sampler(name="euler_a", label="Euler a", scheduler="EulerAncestralDiscreteScheduler"),
    Sampler(name="heun", label="Heun", scheduler="HeunDiscreteScheduler"),
    Sampler(name="lms", label="LMS", scheduler="LMSDiscreteScheduler"),
    Sampler(name="dpm2", label="DPM2", scheduler="KDPM2DiscreteScheduler"),
    Sampler(name="dpm2_a", label="DPM2 a", scheduler="KDPM2AncestralDiscreteScheduler"),
    Sampler(
        name="ddim",
        label="DDIM",
        scheduler="DDIMScheduler",
        options=MappingProxyType({"clip_sample": False, "set_alpha_to_one": False}),  # latents are not pixels
    ),
)

_BY_SPELLING = {spelling: s for s in SAMPLERS for spelling in (s.name, *s.aliases)}


def find_sampler(spelling: str) -> Sampler:
    """The sampler with this name or alias.

    Raises:
        ValueError: nobody knows the spelling; the message lists the samplers.
    """
    try:
        return _BY_SPELLING[spelling]
    except KeyError:
        known = ", ".join(s.name for s in SAMPLERS)
        raise ValueError(f"unknown sampler {spelling!r}; use one of {known}") from None
