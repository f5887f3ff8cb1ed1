"""Traced scheduler steps against diffusers' scheduler objects: bit for bit, with few operations."""

from collections.abc import Sequence
from copy import deepcopy
from inspect import signature
from typing import Any

import diffusers
import pytest
import torch

from contract.samplers import ALL_SAMPLERS, SAMPLERS
from inference.diffusion.modules.noise_schedulers import NoiseSchedule, NoiseSchedulers
from inference.diffusion.solvers.executor import Registers, execute
from inference.diffusion.solvers.instructions import Opcode
from inference.diffusion.solvers.recorder import Recorder, UnsupportedOperationError
from inference.diffusion.solvers.traced_steps import IMAGE, LATENTS, MASK, NOISE, PRESERVED, trace_steps
from tests.inference.diffusion.modules.published import STABLE_DIFFUSION

pytestmark = pytest.mark.usefixtures("engine_thread_count")

SHAPE = (1, 4, 4, 4)
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def predict(sample: torch.Tensor) -> torch.Tensor:
    """Stands for the UNet."""
    return torch.sin(3 * sample.float()).to(sample.dtype)


def normal(seed: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)).to(dtype)


class Reference:
    """An image that diffusers' own scheduler object denoises."""

    def __init__(self, schedule: NoiseSchedule, seed: int, *, preserves: bool) -> None:
        self.schedule = schedule
        self.scheduler = deepcopy(schedule.scheduler)
        self.latents = normal(seed, schedule.dtype) * self.scheduler.init_noise_sigma
        self.image, self.noise = normal(seed + 100, schedule.dtype), normal(seed + 200, schedule.dtype)
        self.mask = (normal(seed + 300, schedule.dtype)[:, :1] > 0).to(schedule.dtype)
        self.preserves = preserves
        options = {"generator": torch.Generator().manual_seed(seed), "eta": 0.0}
        accepted = signature(self.scheduler.step).parameters
        self.options: dict[str, Any] = {name: each for name, each in options.items() if name in accepted}

    def step(self, index: int) -> torch.Tensor:
        """Takes a step; returns the sample that the UNet is given."""
        timestep = self.schedule.timesteps[index]
        sample: torch.Tensor = self.scheduler.scale_model_input(self.latents, timestep)
        self.latents = self.scheduler.step(
            predict(sample), timestep, self.latents, **self.options, return_dict=False
        )[0]
        if self.preserves:
            following = (*self.schedule.timesteps.split(1), self.schedule.end)[index + 1]
            noisy = self.image
            if len(following):
                noisy = self.scheduler.add_noise(self.image, self.noise, following)
            self.latents = (1 - self.mask) * noisy + self.mask * self.latents
        return sample


class Traced:
    """The same image, denoised by the traced steps."""

    def __init__(self, reference: Reference, seed: int) -> None:
        schedule = reference.schedule
        self.steps = schedule.preserving_steps if reference.preserves else schedule.steps
        self.generator = torch.Generator().manual_seed(seed)
        self.registers: Registers = {LATENTS: reference.latents}
        if reference.preserves:
            mask = reference.mask.expand(SHAPE)
            self.registers |= {IMAGE: reference.image, NOISE: reference.noise}
            self.registers |= {MASK: mask, PRESERVED: 1 - mask}

    def complete(self, index: int) -> torch.Tensor:
        """Drops the registers that are no longer used; returns the latents."""
        step = self.steps[index]
        self.registers = {each: value for each, value in self.registers.items() if each in step.live}
        return self.registers[step.latents]


def step_together(images: Sequence[tuple[Traced, int]]) -> list[torch.Tensor]:
    """Takes one step of each image, at its own place; returns the samples that the UNet is given."""
    execute([(image.steps[index].scaling, image.registers) for image, index in images])
    samples = [image.registers[image.steps[index].sample] for image, index in images]
    for (image, index), sample in zip(images, samples, strict=True):
        step = image.steps[index]
        image.registers[step.prediction] = predict(sample)
        for register, dtype in step.noise:
            image.registers[register] = torch.randn(SHAPE, generator=image.generator, dtype=dtype)
    execute([(image.steps[index].update, image.registers) for image, index in images])
    return samples


def differing_steps(schedules: Sequence[NoiseSchedule], *, preserves: bool = False) -> int:
    """Steps in which an image that shares its batch differs in a bit from diffusers' own.

    The images join one after the other, so each is at another place of its schedule.
    """
    references = [Reference(each, seed, preserves=preserves) for seed, each in enumerate(schedules)]
    images = [Traced(reference, seed) for seed, reference in enumerate(references)]
    differing = 0
    with torch.inference_mode():
        for turn in range(max(len(each.steps) + index for index, each in enumerate(images))):
            running = [
                (index, turn - index)
                for index, each in enumerate(images)
                if 0 <= turn - index < len(each.steps)
            ]
            samples = step_together([(images[index], place) for index, place in running])
            for (index, place), sample in zip(running, samples, strict=True):
                expected = references[index].step(place)
                latents = images[index].complete(place)
                same = torch.equal(sample, expected) and torch.equal(latents, references[index].latents)
                differing += not (same and latents.dtype == references[index].latents.dtype)
    return differing


@pytest.fixture(scope="module", params=DTYPES, ids=lambda dtype: str(dtype).removeprefix("torch."))
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def schedulers(dtype: torch.dtype) -> NoiseSchedulers:
    return NoiseSchedulers(STABLE_DIFFUSION, dtype=dtype)


@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda each: each.name)
def test_every_sampler_equals_diffusers_scheduler_at_every_place(
    schedulers: NoiseSchedulers, sampler: Any
) -> None:
    schedules = [
        schedulers.create(sampler.name, steps=6, strength=None),
        schedulers.create(sampler.name, steps=6, strength=0.7),
    ]
    assert differing_steps(schedules) == 0


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda each: each.name)
def test_the_image_outside_the_mask_is_restored_as_by_diffusers(
    schedulers: NoiseSchedulers, sampler: Any
) -> None:
    schedules = [schedulers.create(sampler.name, steps=4, strength=strength) for strength in (None, 0.8)]
    assert differing_steps(schedules, preserves=True) == 0


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_different_samplers_share_a_batch(dtype: torch.dtype, prediction_type: str) -> None:
    schedulers = NoiseSchedulers({**STABLE_DIFFUSION, "prediction_type": prediction_type}, dtype=dtype)
    schedules = [schedulers.create(each.name, steps=5, strength=None) for each in SAMPLERS]
    assert differing_steps(schedules) == 0


@pytest.mark.parametrize("order", [1, 3])
def test_the_order_of_the_model_s_own_solver_is_kept(order: int, dtype: torch.dtype) -> None:
    config = {**STABLE_DIFFUSION, "solver_order": order}
    schedulers = NoiseSchedulers(config, dtype=dtype)
    for sampler in ("unipc", "dpmpp_2m", "deis"):
        assert differing_steps([schedulers.create(sampler, steps=7, strength=None)] * 2) == 0


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda each: each.name)
def test_a_step_takes_at_most_eighteen_operations(schedulers: NoiseSchedulers, sampler: Any) -> None:
    """With the 7 of guidance, input, timesteps and noise, at most 25 in a step."""
    steps = schedulers.create(sampler.name, steps=8, strength=None).steps
    assert max(len(step.scaling.kinds) + len(step.update.kinds) for step in steps) <= 18


def test_on_cuda_numbers_are_not_rounded_and_divisions_multiply_by_the_reciprocal() -> None:
    scheduler = diffusers.EulerDiscreteScheduler(**STABLE_DIFFUSION)
    scheduler.set_timesteps(2)

    def constants(device_type: str) -> list[tuple[Opcode, float]]:
        steps = trace_steps(
            scheduler,
            scheduler.timesteps,
            end=torch.tensor([]),
            dtype=torch.bfloat16,
            device_type=device_type,
            preserves=False,
        )
        instructions = (*steps[0].scaling.instructions, *steps[0].update.instructions)
        return [(each.kind.opcode, *each.constants) for each in instructions if each.constants]  # type: ignore[misc]

    sigma = scheduler.sigmas[0]
    scale = (sigma**2 + 1) ** 0.5
    on_cpu, on_cuda = constants("cpu"), constants("cuda")
    assert on_cpu[0] == (Opcode.DIVIDE_BY_CONSTANT, float(scale))
    assert on_cuda[0] == (Opcode.MULTIPLY_CONSTANT, float(1 / scale))
    assert (Opcode.MULTIPLY_CONSTANT, float(sigma.bfloat16())) in on_cpu
    assert (Opcode.MULTIPLY_CONSTANT, float(sigma)) in on_cuda


def test_an_operation_that_cannot_be_traced_is_an_error() -> None:
    with Recorder(device_type="cpu") as recorder:
        latents, _ = recorder.input(torch.float32)
        with pytest.raises(UnsupportedOperationError, match=r"aten.*on latents"):
            latents.clamp(-1, 1)
