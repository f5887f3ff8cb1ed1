"""DPM++ SDE, DPM++ 2S a and DPM++ 3M SDE against solvers written from their equations, in fp64."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from tests.inference.diffusion.modules.published import STABLE_DIFFUSION

Draw = Callable[[], np.ndarray]
DATA_MEAN, DATA_DEVIATION = 0.3, 0.5
SHAPE = (1, 4, 16, 16)


def denoise(x: np.ndarray, sigma: float) -> np.ndarray:
    """The exact prediction of the image for normally distributed data."""
    variance = DATA_DEVIATION**2
    mean: np.ndarray = (variance * x + sigma**2 * DATA_MEAN) / (variance + sigma**2)
    return mean


def ancestral(sigma: float, following: float) -> tuple[float, float]:
    """Song et al. 2021, equation 16, with eta 1: the levels to denoise to, and of the noise to add."""
    up = following * np.sqrt(1 - (following / sigma) ** 2)
    return np.sqrt(following**2 - up**2), up


def dpmpp_2s_a(x: np.ndarray, sigmas: list[float], draw: Draw) -> np.ndarray:
    """Lu et al. 2022, algorithm 1 with r = 1/2, in lambda = -log sigma, between ancestral noise."""
    for sigma, following in pairwise(sigmas):
        if following == 0:
            return denoise(x, sigma)
        down, up = ancestral(sigma, following)
        h = -np.log(down) + np.log(sigma)
        middle = np.exp(np.log(sigma) - h / 2)
        u = middle / sigma * x - np.expm1(-h / 2) * denoise(x, sigma)
        x = down / sigma * x - np.expm1(-h) * denoise(u, middle) + up * draw()
    return x


def dpmpp_sde(x: np.ndarray, sigmas: list[float], draw: Draw) -> np.ndarray:
    """The same with noise in both stages, the increments of one Brownian path."""
    for sigma, following in pairwise(sigmas):
        if following == 0:
            return denoise(x, sigma)
        middle = np.exp((np.log(sigma) + np.log(following)) / 2)
        to_middle = draw() * np.sqrt(sigma - middle)
        to_following = to_middle + draw() * np.sqrt(middle - following)
        down, up = ancestral(sigma, middle)
        h = np.log(sigma / down)
        u = down / sigma * x - np.expm1(-h) * denoise(x, sigma) + up * to_middle / np.sqrt(sigma - middle)
        down, up = ancestral(sigma, following)
        h = np.log(sigma / down)
        noise = to_following / np.sqrt(sigma - following)
        x = down / sigma * x - np.expm1(-h) * denoise(u, middle) + up * noise
    return x


def dpmpp_3m_sde(x: np.ndarray, sigmas: list[float], draw: Draw) -> np.ndarray:
    """Variation of constants with a polynomial through the last predictions, integrated numerically.

    The published solvers (DPM-Solver++(3M), k-diffusion) halve the quadratic term of the parabola.
    """
    nodes: list[tuple[float, np.ndarray]] = []
    for sigma, following in pairwise(sigmas):
        if following == 0:
            return denoise(x, sigma)
        begin, end = -np.log(sigma), -np.log(following)
        nodes = [(begin, denoise(x, sigma)), *nodes][:3]
        distances = np.array([node - begin for node, _ in nodes])
        inverse = np.linalg.inv(np.vander(distances, increasing=True))
        coefficients = np.einsum("pn,n...->p...", inverse, np.stack([value for _, value in nodes]))
        grid = np.linspace(0, end - begin, 4001)
        weight = 2 * np.exp(-2 * (end - begin - grid))
        x = np.exp(-2 * (end - begin)) * x
        for power, coefficient in enumerate(coefficients):
            share = 0.5 if power == 2 else 1.0
            x = x + np.trapezoid(weight * share * grid**power, grid) * coefficient
        x = x + following * np.sqrt(-np.expm1(-2 * (end - begin))) * draw()
    return x


SOLVERS = {"dpmpp_sde": dpmpp_sde, "dpmpp_2s_a": dpmpp_2s_a, "dpmpp_3m_sde": dpmpp_3m_sde}


def sample_with_engine(
    name: str, steps: int, prediction: str = "epsilon", *, size: int = 1
) -> tuple[np.ndarray, list[float]]:
    """The final sample of the scheduler, and the noise levels of its steps."""
    schedulers = NoiseSchedulers({**STABLE_DIFFUSION, "prediction_type": prediction})
    schedule = schedulers.create(name, steps=steps, strength=None)
    scheduler, generator = schedule.scheduler, torch.Generator().manual_seed(3)
    shape = (size, *SHAPE[1:])
    sample = torch.randn(shape, generator=generator) * scheduler.init_noise_sigma
    levels = scheduler.sigmas
    for index, timestep in enumerate(schedule.timesteps):
        sigma = float(levels[index])
        seen = scheduler.scale_model_input(sample, timestep)
        torch.testing.assert_close(seen, sample / (sigma**2 + 1) ** 0.5)
        image = torch.from_numpy(denoise(sample.double().numpy(), sigma))
        noise = (sample - image) / sigma
        velocity = (noise - sigma * image) / (sigma**2 + 1) ** 0.5
        output = {"epsilon": noise, "v_prediction": velocity, "sample": image}[prediction].float()
        sample = scheduler.step(output, timestep, sample, generator=generator, return_dict=False)[0]
    steps_levels = [float(each) for each in levels]
    if scheduler.order == 2:
        steps_levels = [*steps_levels[:-1:2], 0.0]
    return sample.numpy(), steps_levels


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("steps", [1, 2, 3, 9])
@pytest.mark.parametrize("schedule_type", ["", "_karras", "_exponential", "_sgm_uniform", "_beta", "_normal"])
@pytest.mark.parametrize("name", SOLVERS)
def test_it_equals_a_solver_written_from_the_equations(
    name: str, schedule_type: str, steps: int, prediction: str
) -> None:
    actual, levels = sample_with_engine(name + schedule_type, steps, prediction)
    generator = torch.Generator().manual_seed(3)

    def draw() -> np.ndarray:
        return torch.randn(SHAPE, generator=generator).double().numpy()

    expected = SOLVERS[name](draw() * levels_start(levels, schedule_type), levels, draw)
    np.testing.assert_allclose(actual, expected, atol=2e-3)


def levels_start(levels: list[float], schedule_type: str) -> float:
    """Diffusers' deviation of the initial noise: with leading timesteps, that of noise and image together."""
    is_leading = not schedule_type and len(levels) > 2
    return float(np.hypot(levels[0], 1)) if is_leading else levels[0]


@pytest.mark.parametrize("name", SOLVERS)
def test_many_steps_end_at_the_distribution_of_the_data(name: str) -> None:
    samples, _ = sample_with_engine(f"{name}_karras", 60, size=32)
    assert samples.mean() == pytest.approx(DATA_MEAN, abs=0.02)
    assert samples.std() == pytest.approx(DATA_DEVIATION, rel=0.03)


@pytest.mark.parametrize("name", SOLVERS)
def test_strength_begins_at_a_whole_step(name: str) -> None:
    schedulers = NoiseSchedulers(STABLE_DIFFUSION)
    schedule = schedulers.create(name, steps=10, strength=0.3)
    full = schedulers.create(name, steps=10, strength=None)
    begin = 7 * full.scheduler.order
    assert torch.equal(schedule.timesteps, full.timesteps[begin:])
    image, noise = torch.zeros(SHAPE), torch.ones(SHAPE)
    noisy = schedule.scheduler.add_noise(image, noise, schedule.timesteps[:1])
    assert float(noisy.max()) == pytest.approx(float(full.scheduler.sigmas[begin]))
    for timestep in schedule.timesteps:
        noisy = schedule.scheduler.step(torch.zeros(SHAPE), timestep, noisy)[0]
    assert schedule.scheduler.step_index == len(full.timesteps)
