"""Traces of a scheduler's steps over a whole schedule."""

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import torch
from diffusers import LMSDiscreteScheduler

from inference.diffusion.solvers.instructions import Program, Register
from inference.diffusion.solvers.recorder import Recorder

LATENTS: Register = 0
"""The initial latents."""
IMAGE: Register = 1
"""The latents of the image outside the mask."""
NOISE: Register = 2
"""The noise that is added to them."""
MASK: Register = 3
"""1 where the image is regenerated, 0 elsewhere."""
PRESERVED: Register = 4
"""1 - mask."""


@dataclass(frozen=True)
class TracedStep:
    """The arithmetic of a scheduler for one denoiser evaluation.

    Attributes:
        scaling: computes the sample of the denoiser.
        sample: its register.
        prediction: the register of the denoiser's prediction.
        noise: registers of standard normal noise from the image's generator, in order, and their dtypes.
        update: computes the latents of the next step.
        latents: their register.
        live: the registers that later steps use, `latents` included.
    """

    scaling: Program
    sample: Register
    prediction: Register
    noise: tuple[tuple[Register, torch.dtype], ...]
    update: Program
    latents: Register
    live: frozenset[Register]


def trace_steps(
    scheduler: Any,
    timesteps: torch.Tensor,
    *,
    end: torch.Tensor,
    dtype: torch.dtype,
    device_type: str,
    preserves: bool,
) -> tuple[TracedStep, ...]:
    """Runs a copy of a scheduler on stand-ins for latents, and records its arithmetic.

    The coefficients and the order of operations are those of diffusers' own code, so that results are equal
    bit for bit.

    Args:
        scheduler: a diffusers scheduler whose timesteps are set.
        timesteps: (evaluations,), of the evaluations.
        end: the timestep after the last evaluation, (1,), or (0,) if that yields the image.
        dtype: of latents and predictions.
        device_type: that the latents are on, cpu or cuda.
        preserves: whether each step ends by restoring the image outside a mask, as diffusers' inpainting
            pipelines do with a text-to-image UNet; the initial registers are then LATENTS to PRESERVED.

    Raises:
        UnsupportedOperationError: the scheduler does more than arithmetic.
    """
    scheduler = deepcopy(scheduler)
    if isinstance(scheduler, LMSDiscreteScheduler):
        # the same numbers from NumPy: it integrates with thousands of operations a step
        integrating = copy(scheduler)
        integrating.sigmas = scheduler.sigmas.numpy()
        scheduler.get_lms_coefficient = integrating.get_lms_coefficient
    options = {"generator": torch.Generator(), "eta": 0.0}  # eta as diffusers' pipelines set it
    accepted = signature(scheduler.step).parameters
    options = {name: value for name, value in options.items() if name in accepted}
    recorded = []
    with torch.inference_mode(), Recorder(device_type=device_type) as recorder:
        latents, _ = recorder.input(dtype)
        image, noise, mask, preserved = (recorder.input(dtype)[0] for _ in range(4))
        for index, timestep in enumerate(timesteps):
            sample = scheduler.scale_model_input(latents, timestep)
            scaling, _ = recorder.take()
            prediction, register = recorder.input(dtype)
            latents = scheduler.step(prediction, timestep, latents, **options, return_dict=False)[0]
            if preserves:
                following = timesteps[index + 1 : index + 2] if index + 1 < len(timesteps) else end
                noisy = scheduler.add_noise(image, noise, following) if len(following) else image
                latents = preserved * noisy + mask * latents
            update, noise_registers = recorder.take()
            recorded.append(
                TracedStep(
                    scaling=scaling,
                    sample=recorder.register(sample),
                    prediction=register,
                    noise=noise_registers,
                    update=update,
                    latents=recorder.register(latents),
                    live=frozenset(),
                )
            )
    return tuple(_with_live_registers(recorded))


def _with_live_registers(steps: Sequence[TracedStep]) -> list[TracedStep]:
    """The steps, each with the registers that are used after it."""
    completed: list[TracedStep] = []
    needed: frozenset[Register] = frozenset()
    for step in reversed(steps):
        live = needed | {step.latents}
        completed.append(replace(step, live=live))
        instructions = (*step.scaling.instructions, *step.update.instructions)
        defined = {each.result for each in instructions} | {register for register, _ in step.noise}
        used = {operand for each in instructions for operand in each.operands}
        needed = (live | used | {step.sample}) - defined - {step.prediction}
    return completed[::-1]
