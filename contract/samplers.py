"""The samplers, and the diffusers scheduler of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from contract.problem import MAX_ECHOED_CHARACTERS


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sampler and its names.

    Attributes:
        name: the canonical name, which results report.
        label: the name in AUTOMATIC1111's user interface.
        aliases: further names, mostly those of k-diffusion and diffusers.
        scheduler: the scheduler's class name in `diffusers`.
        options: values that override the model's scheduler configuration.
    """

    name: str
    label: str
    scheduler: str
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def evaluations(self, steps: int, *, skipped: int = 0) -> int:
        """The number of UNet evaluations for `steps` steps of which the first `skipped` are not run."""
        if self.scheduler in _SECOND_ORDER:
            return 2 * (steps - skipped) - 1  # the last step takes one
        repeats_second_step = self.scheduler == _PLMS and steps > 1
        return steps - skipped + repeats_second_step


_SECOND_ORDER = {"HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler"}
_PLMS = "PNDMScheduler"


def _sampler(name: str, label: str, scheduler: str, *aliases: str, **options: Any) -> Sampler:
    return Sampler(
        name=name, label=label, scheduler=scheduler, aliases=aliases, options=MappingProxyType(options)
    )


_MULTISTEP = "DPMSolverMultistepScheduler"
_SINGLESTEP = "DPMSolverSinglestepScheduler"
_SDE = "sde-dpmsolver++"

SAMPLERS = (
    _sampler("euler", "Euler", "EulerDiscreteScheduler", "EulerDiscreteScheduler", "sample_euler", "eular"),
    _sampler(
        "euler_a",
        "Euler a",
        "EulerAncestralDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "sample_euler_ancestral",
        "euler_ancestral",
    ),
    _sampler("heun", "Heun", "HeunDiscreteScheduler", "HeunDiscreteScheduler", "sample_heun"),
    _sampler("heun_karras", "Heun Karras", "HeunDiscreteScheduler", use_karras_sigmas=True),
    _sampler("lms", "LMS", "LMSDiscreteScheduler", "LMSDiscreteScheduler", "sample_lms"),
    _sampler("lms_karras", "LMS Karras", "LMSDiscreteScheduler", use_karras_sigmas=True),
    _sampler("dpm2", "DPM2", "KDPM2DiscreteScheduler", "KDPM2DiscreteScheduler", "sample_dpm_2", "dpm_2"),
    _sampler("dpm2_karras", "DPM2 Karras", "KDPM2DiscreteScheduler", use_karras_sigmas=True),
    _sampler(
        "dpm2_a",
        "DPM2 a",
        "KDPM2AncestralDiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "sample_dpm_2_ancestral",
        "dpm_2_ancestral",
    ),
    _sampler("dpm2_a_karras", "DPM2 a Karras", "KDPM2AncestralDiscreteScheduler", use_karras_sigmas=True),
    _sampler("dpmpp_2m", "DPM++ 2M", _MULTISTEP, _MULTISTEP, "sample_dpmpp_2m"),
    _sampler("dpmpp_2m_karras", "DPM++ 2M Karras", _MULTISTEP, use_karras_sigmas=True),
    _sampler("dpmpp_2m_sde", "DPM++ 2M SDE", _MULTISTEP, "sample_dpmpp_2m_sde", algorithm_type=_SDE),
    _sampler(
        "dpmpp_2m_sde_karras",
        "DPM++ 2M SDE Karras",
        _MULTISTEP,
        algorithm_type=_SDE,
        use_karras_sigmas=True,
    ),
    _sampler("dpmpp_2s", "DPM++ 2S", _SINGLESTEP, _SINGLESTEP, lower_order_final=True),
    _sampler(
        "dpmpp_2s_karras", "DPM++ 2S Karras", _SINGLESTEP, lower_order_final=True, use_karras_sigmas=True
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


def _normalize(name: str) -> str:
    """Lower-case letters and digits: `DPM++ 2M Karras` and `dpmpp-2m-karras` become equal."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("++", "pp"))


_BY_NAME = {
    _normalize(name): sampler
    for sampler in SAMPLERS
    for name in (sampler.name, sampler.label, *sampler.aliases)
}


def find_sampler(name: str) -> Sampler:
    """The sampler with a name, label or alias; case, spaces and punctuation are ignored.

    Raises:
        ValueError: there is no such sampler; the message lists the samplers.
    """
    try:
        return _BY_NAME[_normalize(name)]
    except KeyError:
        known = ", ".join(s.name for s in SAMPLERS)
        raise ValueError(f"unknown sampler {name[:MAX_ECHOED_CHARACTERS]!r}; use one of {known}") from None
