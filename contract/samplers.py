"""The samplers, and the diffusers scheduler of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from contract.problem import MAX_ECHOED_CHARACTERS
from contract.schedule_types import (
    AUTOMATIC,
    BETA,
    EXPONENTIAL,
    KARRAS,
    NORMAL,
    SCHEDULE_TYPES,
    SGM_UNIFORM,
    ScheduleType,
    find_schedule_type,
    normalize,
)


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler and its names.

    Attributes:
        name: the canonical name, which results report.
        label: the name in AUTOMATIC1111's user interface.
        aliases: further names, mostly those of k-diffusion, ComfyUI, Replicate and diffusers.
        scheduler: the scheduler's class name in `diffusers`, or in
            `inference.diffusion.modules.stochastic_schedulers`.
        options: values that override the model's scheduler configuration.
        base: the name of the sampler without its schedule type.
        schedule_type: name of the noise schedule that the sampler's name includes; None: the model's.
    """

    name: str
    label: str
    scheduler: str
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    base: str
    schedule_type: str | None = None

    @property
    def evaluations_per_step(self) -> int:
        """UNet evaluations of a step, those at the ends of a schedule excepted."""
        return 2 if self.scheduler in _SECOND_ORDER else 1

    def evaluations(self, steps: int, *, skipped: int = 0) -> int:
        """The number of UNet evaluations for `steps` steps of which the first `skipped` are not run."""
        if self.scheduler in _SECOND_ORDER:
            return 2 * (steps - skipped) - 1  # the last step takes one
        repeats_second_step = self.scheduler == _PLMS and steps > 1
        return steps - skipped + repeats_second_step

    @property
    def schedule_types(self) -> tuple[str, ...]:
        """Names of the schedule types that the sampler can run on; none if its name includes one."""
        if self.schedule_type is not None:
            return ()
        return tuple(each.name for each in _SCHEDULE_TYPES.get(self.scheduler, ()))

    @property
    def has_zero_terminal_snr(self) -> bool:
        """Whether the sampler can begin at a timestep without signal; others lose the image in rounding."""
        return self.scheduler in _ZERO_TERMINAL_SNR

    @property
    def takes_timestep_spacing(self) -> bool:
        """Whether the spacing of the timesteps changes them; other samplers have timesteps of their own."""
        is_interpolated = self.scheduler in _ALL_NOISE_LEVELS and self.schedule_type is not None
        return (
            self.scheduler not in _OWN_TIMESTEPS
            and not is_interpolated
            and "timestep_spacing" not in self.options
        )

    @property
    def spellings(self) -> Iterator[str]:
        """Every accepted name, before normalization."""
        for name in (self.name, self.label, *self.aliases):
            yield name
            yield name.removesuffix("Scheduler")
            for prefix in _PREFIXES:
                yield prefix + name


_PREFIXES = ("k_", "sample_")
"""Of the names in AUTOMATIC1111's and Replicate's API, and of the functions in k-diffusion."""

_SECOND_ORDER = {
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "DPMPlusPlusSDEScheduler",
    "DPMPlusPlus2SAncestralScheduler",
}
_PLMS = "PNDMScheduler"


def _sampler(name: str, label: str, scheduler: str, *aliases: str, **options: Any) -> Sampler:
    return Sampler(
        name=name,
        label=label,
        scheduler=scheduler,
        aliases=aliases,
        options=MappingProxyType(options),
        base=name,
    )


def _karras(base: str, label: str, scheduler: str, *aliases: str, **options: Any) -> Sampler:
    return Sampler(
        name=f"{base}_{KARRAS.name}",
        label=label,
        scheduler=scheduler,
        aliases=aliases,
        options=MappingProxyType({**options, "use_karras_sigmas": True}),
        base=base,
        schedule_type=KARRAS.name,
    )


_MULTISTEP = "DPMSolverMultistepScheduler"
_SINGLESTEP = "DPMSolverSinglestepScheduler"
_SDE = "sde-dpmsolver++"

_ZERO_TERMINAL_SNR = {
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    _MULTISTEP,
    "UniPCMultistepScheduler",
    "DPMPlusPlusSDEScheduler",
    "DPMPlusPlus2SAncestralScheduler",
    "DPMPlusPlus3MSDEScheduler",
    "DDPMScheduler",
    "DDIMScheduler",
    "LCMScheduler",
    "TCDScheduler",
}
"""The schedulers that rescale their betas for models that were trained so."""

_OWN_TIMESTEPS = {_SINGLESTEP, "LCMScheduler", "TCDScheduler"}
"""Schedulers without an option for the spacing of timesteps."""

_ALL_NOISE_LEVELS = {_MULTISTEP, "UniPCMultistepScheduler"}
"""Schedulers whose schedule types span all noise levels, whatever the timesteps."""

SAMPLERS = (
    _sampler(
        "euler",
        "Euler",
        "EulerDiscreteScheduler",
        "EulerDiscreteScheduler",
        "sample_euler",
        "eular",
        "K_EULER",
    ),
    _sampler(
        "euler_a",
        "Euler a",
        "EulerAncestralDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "sample_euler_ancestral",
        "euler_ancestral",
        "K_EULER_ANCESTRAL",
    ),
    _sampler("heun", "Heun", "HeunDiscreteScheduler", "HeunDiscreteScheduler", "sample_heun", "HeunDiscrete"),
    _karras("heun", "Heun Karras", "HeunDiscreteScheduler"),
    _sampler("lms", "LMS", "LMSDiscreteScheduler", "LMSDiscreteScheduler", "sample_lms", "K_LMS"),
    _karras("lms", "LMS Karras", "LMSDiscreteScheduler"),
    _sampler("dpm2", "DPM2", "KDPM2DiscreteScheduler", "KDPM2DiscreteScheduler", "sample_dpm_2", "dpm_2"),
    _karras("dpm2", "DPM2 Karras", "KDPM2DiscreteScheduler"),
    _sampler(
        "dpm2_a",
        "DPM2 a",
        "KDPM2AncestralDiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "sample_dpm_2_ancestral",
        "dpm_2_ancestral",
    ),
    _karras("dpm2_a", "DPM2 a Karras", "KDPM2AncestralDiscreteScheduler"),
    _sampler("dpmpp_2m", "DPM++ 2M", _MULTISTEP, _MULTISTEP, "sample_dpmpp_2m", "DPMSolverMultistep"),
    _karras("dpmpp_2m", "DPM++ 2M Karras", _MULTISTEP, "KarrasDPM"),
    _sampler(
        "dpmpp_2m_sde",
        "DPM++ 2M SDE",
        _MULTISTEP,
        "sample_dpmpp_2m_sde",
        "dpmpp_2m_sde_gpu",
        algorithm_type=_SDE,
    ),
    _karras("dpmpp_2m_sde", "DPM++ 2M SDE Karras", _MULTISTEP, algorithm_type=_SDE),
    _sampler("dpmpp_2s", "DPM++ 2S", _SINGLESTEP, _SINGLESTEP, lower_order_final=True),
    _karras("dpmpp_2s", "DPM++ 2S Karras", _SINGLESTEP, lower_order_final=True),
    _sampler(
        "dpmpp_sde",
        "DPM++ SDE",
        "DPMPlusPlusSDEScheduler",
        "sample_dpmpp_sde",
        "dpmpp_sde_gpu",
        "DPMSolverSDEScheduler",
    ),
    _sampler(
        "dpmpp_2s_a",
        "DPM++ 2S a",
        "DPMPlusPlus2SAncestralScheduler",
        "sample_dpmpp_2s_ancestral",
        "dpmpp_2s_ancestral",
        "K_DPMPP_2S_ANCESTRAL",
    ),
    _sampler(
        "dpmpp_3m_sde",
        "DPM++ 3M SDE",
        "DPMPlusPlus3MSDEScheduler",
        "sample_dpmpp_3m_sde",
        "dpmpp_3m_sde_gpu",
    ),
    _sampler("unipc", "UniPC", "UniPCMultistepScheduler", "UniPCMultistepScheduler", "uni_pc"),
    _sampler("deis", "DEIS", "DEISMultistepScheduler", "DEISMultistepScheduler"),
    _sampler("plms", "PLMS", "PNDMScheduler", "PNDMScheduler", "pndm", skip_prk_steps=True),
    _sampler("ddpm", "DDPM", "DDPMScheduler", "DDPMScheduler", clip_sample=False),
    _sampler(
        "ddim",
        "DDIM",
        "DDIMScheduler",
        "DDIMScheduler",
        clip_sample=False,  # latents are not pixels
        set_alpha_to_one=False,
    ),
    _sampler("lcm", "LCM", "LCMScheduler", "LCMScheduler", "sample_lcm", clip_sample=False),
    _sampler("tcd", "TCD", "TCDScheduler", "TCDScheduler", clip_sample=False),
)

_SIGMA_SCHEDULES = (KARRAS, EXPONENTIAL, BETA)
_SCHEDULE_TYPES: Mapping[str, tuple[ScheduleType, ...]] = {
    "EulerDiscreteScheduler": SCHEDULE_TYPES,
    "EulerAncestralDiscreteScheduler": (SGM_UNIFORM, NORMAL),
    "HeunDiscreteScheduler": SCHEDULE_TYPES,
    "LMSDiscreteScheduler": SCHEDULE_TYPES,
    "KDPM2DiscreteScheduler": SCHEDULE_TYPES,
    "KDPM2AncestralDiscreteScheduler": SCHEDULE_TYPES,
    _MULTISTEP: SCHEDULE_TYPES,
    _SINGLESTEP: SCHEDULE_TYPES,
    "DPMPlusPlusSDEScheduler": SCHEDULE_TYPES,
    "DPMPlusPlus2SAncestralScheduler": SCHEDULE_TYPES,
    "DPMPlusPlus3MSDEScheduler": SCHEDULE_TYPES,
    "UniPCMultistepScheduler": (*_SIGMA_SCHEDULES, SGM_UNIFORM),
    "DEISMultistepScheduler": (SGM_UNIFORM,),  # its last step stays at the last of other sigmas
    "PNDMScheduler": (SGM_UNIFORM,),
    "DDPMScheduler": (SGM_UNIFORM,),
    "DDIMScheduler": (SGM_UNIFORM,),
    "LCMScheduler": (SGM_UNIFORM,),
    "TCDScheduler": (SGM_UNIFORM,),
}
"""The schedule types of each scheduler's samplers."""

_AUTOMATIC = {
    "dpm2": KARRAS,
    "dpm2_a": KARRAS,
    "dpmpp_2m": KARRAS,
    "dpmpp_2m_sde": EXPONENTIAL,
    "dpmpp_sde": KARRAS,
    "dpmpp_2s_a": KARRAS,
    "dpmpp_3m_sde": EXPONENTIAL,
}
"""AUTOMATIC1111's automatic schedule types; those of other samplers are the model's."""


def _with_schedule_type(sampler: Sampler, schedule_type: ScheduleType) -> Sampler:
    """The sampler on this schedule; one in `SAMPLERS` keeps its options."""
    name = f"{sampler.name}_{schedule_type.name}"
    listed = next((each for each in SAMPLERS if each.name == name), None)
    return listed or Sampler(
        name=name,
        label=f"{sampler.label} {schedule_type.label}",
        scheduler=sampler.scheduler,
        options=MappingProxyType({**sampler.options, **schedule_type.options}),
        base=sampler.name,
        schedule_type=schedule_type.name,
    )


def _by_spelling() -> dict[str, Sampler]:
    found: dict[str, Sampler] = {}
    for sampler in SAMPLERS:
        spellings = {normalize(each) for each in sampler.spellings}
        found |= dict.fromkeys(spellings, sampler)
        for schedule_type in _SCHEDULE_TYPES.get(sampler.scheduler, ()) if sampler.schedule_types else ():
            combined = _with_schedule_type(sampler, schedule_type)
            suffixes = {normalize(each) for each in schedule_type.spellings}
            found |= {each + suffix: combined for each in spellings for suffix in suffixes}
    return found


_BY_SPELLING = _by_spelling()
ALL_SAMPLERS = tuple({each.name: each for each in _BY_SPELLING.values()}.values())
"""The samplers, with and without a schedule type."""


def find_sampler(name: str) -> Sampler:
    """The sampler with a name, label or alias; case, spaces and punctuation are ignored.

    Raises:
        ValueError: there is no such sampler; the message lists the samplers.
    """
    try:
        return _BY_SPELLING[normalize(name)]
    except KeyError:
        known = ", ".join(s.name for s in SAMPLERS)
        raise ValueError(f"unknown sampler {name[:MAX_ECHOED_CHARACTERS]!r}; use one of {known}") from None


def check_schedule_type(name: str) -> str:
    """The name of a schedule type, or of a sampler, which Replicate's API calls a scheduler.

    Raises:
        ValueError: it is neither; the message lists the schedule types.
    """
    if normalize(name) == AUTOMATIC:
        return AUTOMATIC
    schedule_type = find_schedule_type(name)
    if schedule_type is not None:
        return schedule_type.name
    sampler = _BY_SPELLING.get(normalize(name))
    if sampler is not None:
        return sampler.name
    known = ", ".join([*(each.name for each in SCHEDULE_TYPES), AUTOMATIC])
    raise ValueError(
        f"unknown scheduler {name[:MAX_ECHOED_CHARACTERS]!r}; use one of {known}, or a sampler in place of "
        "`sampler`"
    )


def select_sampler(requested: str | None, schedule_type: str | None, *, default: str) -> Sampler:
    """The sampler that `sampler` and `scheduler` name together.

    Args:
        requested: the request's sampler; None: the default.
        schedule_type: the request's scheduler, a result of `check_schedule_type`; None: that of the sampler.
        default: the model's.

    Raises:
        ValueError: the sampler has no such schedule, or includes another one.
    """
    sampler = find_sampler(requested or default)
    if schedule_type is None:
        return sampler
    kind = find_schedule_type(schedule_type)
    if kind is None and schedule_type != AUTOMATIC:
        if requested is not None:
            raise ValueError(f"names a sampler, {schedule_type}, beside `sampler`; remove one of them")
        return find_sampler(schedule_type)
    if requested is None:
        sampler = find_sampler(sampler.base)
    if schedule_type == AUTOMATIC:
        automatic = _AUTOMATIC.get(sampler.name)
        return sampler if automatic is None else find_sampler(f"{sampler.name}_{automatic.name}")
    if sampler.schedule_type == schedule_type:
        return sampler
    if sampler.schedule_type is not None:
        raise ValueError(f"cannot be {schedule_type} with the sampler {sampler.name}; remove one of them")
    if schedule_type not in sampler.schedule_types:
        known = ", ".join(sampler.schedule_types)
        raise ValueError(f"{sampler.name} has no {schedule_type} schedule; use one of {known}, or remove it")
    return find_sampler(f"{sampler.name}_{schedule_type}")
