"""Noise schedules for image-to-image and for the refiner."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import beta

from contract.samplers import ALL_SAMPLERS, Sampler, find_sampler
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from tests.inference import tiny_models
from tests.inference.diffusion.modules.published import STABLE_DIFFUSION

SAMPLERS = ("euler", "dpmpp_2m_karras", "ddim")


@pytest.fixture(scope="module")
def schedulers(demo_model: Path) -> NoiseSchedulers:
    return NoiseSchedulers(tiny_models.sd(demo_model).scheduler.config)


@pytest.fixture(scope="module")
def published() -> NoiseSchedulers:
    return NoiseSchedulers(STABLE_DIFFUSION)


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


def test_the_end_is_empty_if_the_last_evaluation_yields_the_image(schedulers: NoiseSchedulers) -> None:
    schedule = schedulers.create("euler", steps=3, strength=None)
    assert len(schedule.end) == 0


def test_images_with_the_same_settings_share_a_schedule(schedulers: NoiseSchedulers) -> None:
    first, second = (schedulers.create("dpmpp_2m_karras", steps=3, strength=None) for _ in range(2))
    assert first.steps is second.steps
    assert first.scheduler.step_index is None


def test_latents_are_never_thresholded_as_pixels_are() -> None:
    schedulers = NoiseSchedulers({**STABLE_DIFFUSION, "thresholding": True})
    assert len(schedulers.create("dpmpp_2m", steps=3, strength=None).steps) == 3


def sigma(timesteps: np.ndarray) -> np.ndarray:
    """k-diffusion's noise levels at timesteps of Stable Diffusion's schedule, interpolated between them."""
    alphas = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    levels: np.ndarray = np.interp(timesteps, np.arange(1000), ((1 - alphas) / alphas) ** 0.5)
    return levels


def noise_levels(schedule_type: str, steps: int) -> np.ndarray:
    """The noise levels as AUTOMATIC1111 and k-diffusion define them, without the final zero."""
    ramp = np.linspace(0, 1, steps)
    least, most = sigma(np.array([0, 999]))
    match schedule_type:
        case "karras":  # Karras et al. 2022, equation 5
            return (most ** (1 / 7) + ramp * (least ** (1 / 7) - most ** (1 / 7))) ** 7  # type: ignore[no-any-return]
        case "exponential":
            return np.geomspace(most, least, steps)
        case "beta":  # Lee et al. 2024, with the shares of noise levels instead of timesteps
            return least + beta.ppf(1 - ramp, 0.6, 0.6) * (most - least)  # type: ignore[no-any-return]
        case "sgm_uniform":
            return sigma(np.linspace(999, 0, steps + 1)[:-1])
        case _:
            return sigma(np.linspace(999, 0, steps))


FIRST_ORDER = [
    sampler
    for sampler in ALL_SAMPLERS
    if sampler.schedule_type
    and sampler.evaluations(3) == 3
    and not sampler.name.startswith(("lms_karras", "ddim", "ddpm", "lcm", "tcd"))
]


@pytest.mark.parametrize("steps", [2, 7, 30])
@pytest.mark.parametrize("sampler", FIRST_ORDER, ids=lambda each: each.name)
def test_schedule_types_have_the_noise_levels_of_k_diffusion(
    published: NoiseSchedulers, sampler: Sampler, steps: int
) -> None:
    scheduler = published.create(sampler.name, steps=steps, strength=None).scheduler
    expected = noise_levels(str(sampler.schedule_type), steps)
    # timesteps are whole numbers in most schedulers, which is a difference of up to one
    exact = sampler.schedule_type in ("karras", "exponential", "beta")
    tolerances = {"rtol": 1e-4} if exact else {"rtol": 0.012, "atol": 0.02}
    np.testing.assert_allclose(scheduler.sigmas[:-1].numpy(), expected, **tolerances)


@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda each: each.name)
def test_a_single_step_begins_at_the_first_training_timestep(
    published: NoiseSchedulers, sampler: Sampler
) -> None:
    schedule = published.create(sampler.name, steps=1, strength=None)
    assert schedule.timesteps.tolist() == [pytest.approx(999, abs=1)]  # some round down
    if hasattr(schedule.scheduler, "sigmas"):
        assert float(schedule.scheduler.sigmas[0]) == pytest.approx(sigma(np.array([999]))[0], rel=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
@pytest.mark.parametrize("sampler", ["lcm", "tcd", "ddim", "euler_a"])
def test_few_steps_are_spaced_from_the_first_training_timestep(
    published: NoiseSchedulers, sampler: str, steps: int
) -> None:
    schedule = published.create(find_sampler(f"{sampler} sgm_uniform").name, steps=steps, strength=None)
    expected = [1000 - index * 1000 // steps - 1 for index in range(steps)]
    assert schedule.timesteps.tolist() == expected


@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda each: each.name)
def test_only_the_samplers_that_take_a_spacing_change_with_it(
    published: NoiseSchedulers, sampler: Sampler
) -> None:
    """A sampler that does not change refuses the field."""
    timesteps = {
        tuple(published.create(sampler.name, steps=7, strength=None, spacing=spacing).timesteps.tolist())
        for spacing in ("leading", "trailing", "linspace")
    }
    assert (len(timesteps) > 1) is sampler.takes_timestep_spacing


ZERO_SNR = {**STABLE_DIFFUSION, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}


@pytest.mark.parametrize("steps", [1, 2, 3, 8])
@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda each: each.name)
def test_with_zero_terminal_snr_a_sampler_finds_the_only_image_or_is_refused(
    sampler: Sampler, steps: int
) -> None:
    """The exact model of a single image: whatever the noise, velocity points to it."""
    schedulers = NoiseSchedulers({**ZERO_SNR, "prediction_type": "v_prediction"})
    try:
        schedulers.check(sampler.name)
    except ValueError:
        return
    schedule = schedulers.create(sampler.name, steps=steps, strength=None)
    alphas = np.sqrt(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))
    alphas = (alphas - alphas[-1]) * alphas[0] / (alphas[0] - alphas[-1])  # Lin et al. 2023, algorithm 1
    image = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    generator = torch.Generator().manual_seed(2)
    sample = torch.randn(image.shape, generator=generator) * schedule.scheduler.init_noise_sigma
    for timestep in schedule.timesteps:
        alpha = float(np.interp(float(timestep), np.arange(1000), alphas))
        noise_share = (1 - alpha**2) ** 0.5
        seen = schedule.scheduler.scale_model_input(sample, timestep)
        velocity = alpha * (seen - alpha * image) / noise_share - noise_share * image
        sample = schedule.scheduler.step(velocity, timestep, sample, return_dict=False)[0]
    # DDIM and DPM-Solver end at the noise of the first training timestep
    torch.testing.assert_close(sample, image, rtol=0, atol=0.1)


def test_a_noise_prediction_is_not_divided_by_a_signal_of_zero() -> None:
    schedulers = NoiseSchedulers({**ZERO_SNR, "prediction_type": "epsilon"})
    schedulers.check("euler")
    with pytest.raises(ValueError, match=r"ddim does not support this model.*use one of euler, euler_a, "):
        schedulers.check("ddim")
