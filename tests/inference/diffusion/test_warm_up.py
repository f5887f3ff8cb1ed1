"""The warm-up: what it generates, and that it never fails a start."""

import time
from pathlib import Path

import pytest
import torch

from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from inference.diffusion.loader import load_engine
from inference.diffusion.warm_up import warm_up
from inference.engine.errors import OutOfMemoryError
from tests.inference.conftest import Log
from tests.inference.fake_engine import FakeEngine

MODEL = ModelDeclaration(
    name="demo", defaults=ModelDefaults(width=64, height=128, count=3), limits=ModelLimits(max_count=4)
)


def run(engine: FakeEngine, model: ModelDeclaration = MODEL, **options: float) -> None:
    arguments = {"max_batch_size": 8, "select_convolutions": False} | options
    warm_up(engine, model, **arguments)  # type: ignore[arg-type]


def test_images_of_the_default_size_are_generated_alone_and_in_the_largest_batch(engine: FakeEngine) -> None:
    run(engine)
    generations = [generation for generation, _ in engine.calls]
    assert [each.count for each in generations] == [1, 8]
    assert {(each.width, each.height, each.guidance_scale) for each in generations} == {(64, 128, 7.5)}
    assert all(inputs.adapters.loras == () for _, inputs in engine.calls)


def test_a_batch_of_one_is_warmed_up_once(engine: FakeEngine) -> None:
    run(engine, max_batch_size=1)
    assert len(engine.calls) == 1


def test_the_models_limit_on_steps_is_kept(engine: FakeEngine) -> None:
    limits = ModelLimits(max_steps=2)
    run(engine, ModelDeclaration(name="turbo", defaults=ModelDefaults(steps=1), limits=limits))
    assert {generation.steps for generation, _ in engine.calls} == {2}


def test_a_failure_is_logged_and_ends_the_warm_up(engine: FakeEngine, log: Log) -> None:
    engine.error = OutOfMemoryError("too large")
    run(engine)
    assert len(engine.calls) == 1
    assert "the warm-up has failed" in log.text


def test_a_warm_up_that_takes_too_long_is_stopped(engine: FakeEngine, log: Log) -> None:
    engine.gate.clear()
    start = time.monotonic()
    run(engine, limit_s=0.01)
    assert time.monotonic() - start < 5
    assert "took too long" in log.text
    engine.gate.set()


@pytest.mark.parametrize("selects", [True, False])
def test_convolutions_are_selected_while_images_are_generated(engine: FakeEngine, selects: bool) -> None:
    submit, seen = engine.submit, []

    def record(*arguments: object) -> object:
        seen.append(torch.backends.cudnn.benchmark)
        return submit(*arguments)  # type: ignore[arg-type]

    engine.submit = record  # type: ignore[method-assign, assignment]
    before = torch.backends.cudnn.benchmark
    run(engine, select_convolutions=selects)
    assert seen == [selects or before] * 2
    assert torch.backends.cudnn.benchmark == before


def test_an_engine_generates_a_jobs_image_after_its_warm_up(demo_model: Path, log: Log) -> None:
    engine = load_engine(demo_model, max_batch_size=2)
    warm_up(engine, MODEL, max_batch_size=2, select_convolutions=True)
    engine.close()
    assert "warmed up" in log.text
