"""Noise schedules for image-to-image and for the refiner."""

from pathlib import Path

import pytest
import torch

from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from tests.inference import tiny_models

SAMPLERS = ("euler", "dpmpp_2m_karras", "ddim")


@pytest.fixture(scope="module")
def schedulers(demo_model: Path) -> NoiseSchedulers:
    return NoiseSchedulers(tiny_models.sd(demo_model).scheduler.config)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_strength_keeps_the_last_timesteps(schedulers: NoiseSchedulers, sampler: str) -> None:
    full = schedulers.create(sampler, steps=10, strength=None).timesteps
    assert torch.equal(schedulers.create(sampler, steps=10, strength=0.3).timesteps, full[7:])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_base_and_refiner_share_the_timesteps_of_one_schedule(
    schedulers: NoiseSchedulers, sampler: str
) -> None:
    full = schedulers.create(sampler, steps=10, strength=None).timesteps
    base = schedulers.create(sampler, steps=10, strength=None, until=0.6)
    refining = schedulers.create_refining(sampler, steps=10, start=0.6)
    assert torch.equal(torch.cat([base.timesteps, refining.timesteps]), full)
    assert torch.equal(base.end, refining.timesteps[:1])


def test_the_timestep_after_the_last_evaluation_is_empty(schedulers: NoiseSchedulers) -> None:
    schedule = schedulers.create("euler", steps=3, strength=None)
    assert torch.equal(schedule.timestep_after(2), schedule.timesteps[2:])
    assert len(schedule.timestep_after(3)) == 0


def test_every_schedule_has_its_own_scheduler(schedulers: NoiseSchedulers) -> None:
    first, second = (schedulers.create("dpmpp_2m_karras", steps=3, strength=None) for _ in range(2))
    first.scheduler.step(torch.ones(1, 4, 8, 8), first.timesteps[0], torch.ones(1, 4, 8, 8))
    assert (first.scheduler.step_index, second.scheduler.step_index) == (1, None)
