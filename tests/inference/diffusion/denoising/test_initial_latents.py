"""Restoring the image outside an inpainting mask."""

import torch

from inference.diffusion.denoising.initial_latents import InitialLatents, PreservedRegion
from inference.diffusion.modules.noise_schedulers import NoiseSchedule, NoiseSchedulers
from inference.diffusion.solvers.executor import Registers, execute
from tests.inference.diffusion.modules.published import STABLE_DIFFUSION

SHAPE = (1, 4, 8, 8)
IMAGE, NOISE = torch.full(SHAPE, 2.0), torch.full(SHAPE, 3.0)


def latents_after(schedule: NoiseSchedule, evaluations: int) -> torch.Tensor:
    """The latents of an image whose left half is preserved, after this many evaluations."""
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    initial = InitialLatents(torch.ones(SHAPE), preserved=PreservedRegion(mask, IMAGE, NOISE))
    registers: Registers = initial.registers()
    for step in schedule.preserving_steps[:evaluations]:
        registers[step.prediction] = torch.zeros(SHAPE)
        for program in (step.scaling, step.update):
            execute([(program, registers)])
    return registers[schedule.preserving_steps[evaluations - 1].latents]


def test_the_image_is_restored_without_noise_after_the_last_step() -> None:
    schedule = NoiseSchedulers(STABLE_DIFFUSION).create("ddim", steps=3, strength=None)
    latents = latents_after(schedule, 3)
    assert (latents[..., :4] == 2).all()
    assert (latents[..., 4:] != 2).all()


def test_the_image_is_restored_at_the_noise_level_of_the_next_timestep() -> None:
    schedule = NoiseSchedulers(STABLE_DIFFUSION).create("ddim", steps=3, strength=None)
    latents = latents_after(schedule, 1)
    noisy = schedule.scheduler.add_noise(IMAGE, NOISE, schedule.timesteps[1:2])
    assert torch.equal(latents[..., :4], noisy[..., :4])
    assert not torch.isclose(latents[..., 4:], noisy[..., 4:]).any()
