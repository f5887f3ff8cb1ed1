"""The noise schedules that a sampler can run on, under the names of AUTOMATIC1111 and ComfyUI."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


def normalize(name: str) -> str:
    """Lower-case letters and digits: `DPM++ 2M Karras` and `dpmpp-2m-karras` become equal."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("++", "pp"))


@dataclass(frozen=True, kw_only=True)
class ScheduleType:
    """A noise schedule and its names.

    Attributes:
        description: of its noise levels.
        name: ComfyUI's name, which follows that of the sampler: `dpmpp_2m_karras`.
        label: the name in AUTOMATIC1111's user interface.
        aliases: further names.
        spacing: the timesteps between which the schedule spans; None leaves them to the model.
        option: the option of diffusers' schedulers that turns it on; None for spacings of timesteps.
    """

    name: str
    label: str
    description: str
    aliases: tuple[str, ...] = ()
    spacing: str | None = None
    option: str | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name."""
        return (self.name, self.label, *self.aliases)

    @property
    def options(self) -> Mapping[str, Any]:
        """Values that override the model's scheduler configuration."""
        options: dict[str, Any] = {} if self.spacing is None else {"timestep_spacing": self.spacing}
        if self.option is not None:
            options[self.option] = True
        return MappingProxyType(options)


# Karras, exponential and beta schedules span all training timesteps, as in k-diffusion: from the first of
# evenly spaced timesteps to the last.
KARRAS = ScheduleType(
    name="karras",
    label="Karras",
    description="Karras et al. 2022, with rho 7",
    aliases=("ka",),
    spacing="linspace",
    option="use_karras_sigmas",
)
EXPONENTIAL = ScheduleType(
    name="exponential",
    label="Exponential",
    description="evenly spaced logarithms",
    spacing="linspace",
    option="use_exponential_sigmas",
)
BETA = ScheduleType(
    name="beta",
    label="Beta",
    description="quantiles of the beta distribution (0.6, 0.6), as in AUTOMATIC1111",
    spacing="linspace",
    option="use_beta_sigmas",
)
SGM_UNIFORM = ScheduleType(
    name="sgm_uniform",
    label="SGM Uniform",
    description="evenly spaced timesteps from the first training timestep, the last left out",
    aliases=("simple", "trailing"),
    spacing="trailing",
)
NORMAL = ScheduleType(
    name="normal",
    label="Normal",
    description="evenly spaced timesteps from the first training timestep to the last",
    aliases=("uniform",),
    spacing="linspace",
)

SCHEDULE_TYPES = (KARRAS, EXPONENTIAL, BETA, SGM_UNIFORM, NORMAL)
AUTOMATIC = "automatic"
"""AUTOMATIC1111's choice for the sampler."""

_BY_NAME = {normalize(name): each for each in SCHEDULE_TYPES for name in each.spellings}


def find_schedule_type(name: str) -> ScheduleType | None:
    """The schedule type with a name, label or alias; case, spaces and punctuation are ignored."""
    return _BY_NAME.get(normalize(name))
