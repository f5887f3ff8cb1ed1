"""Progress over all passes, in denoiser evaluations per image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.samplers import SAMPLERS, find_sampler
from inference.diffusion.loader import create_engine
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.engine.interface import Callbacks, Engine
from inference.invocation.step_counter import StepCounter
from inference.observability.logs import ContextThreadPool
from tests.inference import tiny_models
from tests.inference.generations import generation_of
from tests.inference.invocation.pass_runner import run

HIRES = {"scale": 1.25, "steps": 6, "strength": 0.5}
"""3 of its 6 steps are run."""


@pytest.fixture
def reported() -> list[tuple[int, int]]:
    return []


def create_counter(reported: list[tuple[int, int]], **request: Any) -> StepCounter:
    return StepCounter(
        generation_of(**request), Callbacks(lambda done, total: reported.append((done, total)))
    )


def test_without_a_hires_pass_the_first_pass_is_reported_unchanged(reported: list[tuple[int, int]]) -> None:
    counter = create_counter(reported)
    counter.first_pass().on_step(1, 4)
    counter.first_pass().on_step(4, 4)
    assert reported == [(1, 4), (4, 4)]


def test_the_total_includes_the_hires_pass_from_the_first_step_on(reported: list[tuple[int, int]]) -> None:
    counter = create_counter(reported, hires=HIRES)
    counter.first_pass().on_step(1, 4)
    counter.first_pass().on_step(4, 4)
    counter.hires_pass(0).on_step(1, 3)
    counter.hires_pass(0).on_step(3, 3)
    assert reported == [(1, 7), (4, 7), (5, 7), (7, 7)]


def test_a_hires_pass_without_steps_has_those_of_the_first_pass(reported: list[tuple[int, int]]) -> None:
    counter = create_counter(reported, steps=10, hires={"strength": 0.5})
    counter.first_pass().on_step(1, 10)
    assert reported == [(1, 15)]


def test_with_several_images_the_hires_pass_is_reported_when_their_mean_has_grown(
    reported: list[tuple[int, int]],
) -> None:
    counter = create_counter(reported, count=2, hires=HIRES)
    counter.first_pass().on_step(4, 4)
    reported.clear()
    for index, done in ((0, 1), (1, 1), (0, 3), (1, 2), (1, 3)):
        counter.hires_pass(index).on_step(done, 3)
    assert reported == [(5, 7), (6, 7), (7, 7)]


def test_the_hires_pass_may_skip_reports(reported: list[tuple[int, int]]) -> None:
    counter = create_counter(reported, count=3, hires=HIRES)
    counter.first_pass().on_step(4, 4)
    reported.clear()
    for index, done in ((0, 1), (1, 3), (2, 1), (0, 3), (2, 3)):
        counter.hires_pass(index).on_step(done, 3)
    assert reported == [(5, 7), (6, 7), (7, 7)]


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture(scope="module")
def engine(pipeline: Any) -> Iterator[Engine]:
    engine = create_engine(pipeline, max_batch_size=8)
    yield engine
    engine.close()


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_a_samplers_evaluations_are_the_timesteps_of_its_scheduler(pipeline: Any, sampler: str) -> None:
    schedulers = NoiseSchedulers(pipeline.scheduler.config)
    for steps in (1, 2, 3, 20):
        for run_steps in {1, (steps + 1) // 2, steps}:
            strength = (run_steps + 0.5) / (steps + 0.5)
            timesteps = schedulers.create(sampler, steps=steps, strength=strength).timesteps
            assert find_sampler(sampler).evaluations(steps, skipped=steps - run_steps) == len(timesteps)


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_with_every_sampler_the_total_is_constant_and_reached(
    engine: Engine, executor: ContextThreadPool, reported: list[tuple[int, int]], sampler: str
) -> None:
    generation = generation_of(sampler=sampler, hires=HIRES)
    run(engine, generation, executor, callbacks=Callbacks(lambda done, total: reported.append((done, total))))
    total = find_sampler(sampler).evaluations(4) + find_sampler(sampler).evaluations(6, skipped=3)
    assert (reported[0], reported[-1]) == ((1, total), (total, total))
    assert reported == sorted(reported)
    assert {each for _, each in reported} == {total}


def test_with_several_images_progress_never_decreases_and_reaches_the_total(
    engine: Engine, executor: ContextThreadPool, reported: list[tuple[int, int]]
) -> None:
    generation = generation_of(count=3, hires=HIRES)
    run(engine, generation, executor, callbacks=Callbacks(lambda done, total: reported.append((done, total))))
    assert reported[-1] == (7, 7)
    assert reported == sorted(reported)
