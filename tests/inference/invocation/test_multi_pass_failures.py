"""Multi-pass generations that are cancelled, fail or are refused before the first pass."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract.generation import Generation, InvalidRequestError
from contract.problem import ErrorCode, ProblemError
from inference.diffusion.loader import create_engine
from inference.engine.errors import OutOfMemoryError
from inference.engine.interface import AdapterFile, Engine, GenerationOutput, Inputs, OnStep, UpscaleImage
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.upscalers import UpscalerResolver
from inference.observability.logs import ContextThreadPool
from tests.inference import tiny_models
from tests.inference.fake_engine import FakeEngine
from tests.inference.generations import generation_of, landscape
from tests.inference.invocation.pass_runner import NOTHING, ignore, run

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture(scope="module")
def engine(pipeline: Any) -> Iterator[Engine]:
    engine = create_engine(pipeline, max_batch_size=8)
    yield engine
    engine.close()


class HeldEngine(FakeEngine):
    """Gives its futures into the test's hands."""

    def __init__(self) -> None:
        super().__init__()
        self.given: asyncio.Queue[Future[Any]] = asyncio.Queue()

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[GenerationOutput]:
        return self._give()

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        return lambda image, size: self._give()

    def _give(self) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.put_nowait(future)
        return future


def drawn(count: int = 1, **more: Any) -> GenerationOutput:
    image = Image.new("RGB", (64, 64))
    return GenerationOutput(**{"images": (image,) * count, "bucket": 1, "seconds": 1.0} | more)


FILE = AdapterFile("tiny", Path("tiny.pth"), "1")
HIRES = {"scale": 2.0, "upscaler": "tiny"}
ENLARGED = Image.new("RGB", (128, 128))
STAGES: Mapping[str, tuple[dict[str, Any], list[Any], int]] = {
    "the first pass": ({"hires": HIRES}, [], 1),
    "enlarging for the second": ({"hires": HIRES}, [drawn(2)], 2),
    "the second pass": ({"hires": HIRES}, [drawn(2), ENLARGED, ENLARGED], 2),
    "enlarging": ({"upscale": HIRES}, [drawn(2)], 2),
}
"""What two images are asked for, what has come of the engine's futures, and how many are open then."""

Futures = list[Future[Any]]


def play(
    stage: str, executor: ContextThreadPool, then: Callable[[Any, Futures], None]
) -> tuple[Any, Futures]:
    """What becomes of a job to which something happens at a stage, and the futures that were open."""
    request, outcomes, number = STAGES[stage]

    async def scene() -> tuple[Any, Futures]:
        engine = HeldEngine()

        async def job() -> GenerationOutput:
            generation = generation_of(count=2, **request)
            passes = MultiPassGenerator(
                engine,
                UpscalerResolver(engine, lambda name, pointer: FILE, executor=executor),
                max_output_sizes={"demo": 512},
            )
            return await passes.upscale(generation, await passes.draw(generation, NOTHING, ignore))

        task = asyncio.create_task(job())
        for outcome in outcomes:
            (await engine.given.get()).set_result(outcome)
        open_ = [await engine.given.get() for _ in range(number)]
        then(task, open_)
        return (await asyncio.gather(task, return_exceptions=True))[0], open_

    return asyncio.run(scene())


@pytest.mark.parametrize("stage", STAGES)
def test_cancelling_a_job_cancels_whatever_the_engine_does_for_it(
    executor: ContextThreadPool, stage: str
) -> None:
    outcome, futures = play(stage, executor, lambda task, _: task.cancel())
    assert isinstance(outcome, asyncio.CancelledError)
    assert all(future.cancelled() for future in futures)


@pytest.mark.parametrize("stage", list(STAGES)[1:])
def test_where_one_picture_fails_the_others_are_given_up(executor: ContextThreadPool, stage: str) -> None:
    error = OutOfMemoryError("no room")
    outcome, (_, other) = play(stage, executor, lambda _, futures: futures[0].set_exception(error))
    assert outcome is error
    assert other.cancelled()


def test_a_drawing_tells_of_all_passes(executor: ContextThreadPool) -> None:
    """The largest bucket, every concession once, and the seconds to the end."""

    def settle(_: Any, futures: Futures) -> None:
        for bucket, future in zip((4, 1), futures, strict=True):
            future.set_result(drawn(batch_size=bucket, fallbacks=("slow", f"small {bucket}")))

    drawing, _ = play("the second pass", executor, settle)
    assert (drawing.batch_size, len(drawing.images)) == (4, 2)
    assert drawing.fallbacks == ("slow", "small 4", "small 1")
    assert drawing.seconds > 1.0


@pytest.mark.parametrize("size", [(136, 64), (64, 136)])
def test_a_size_that_nobody_knew_before_is_refused_before_anything_is_drawn(
    executor: ContextThreadPool, size: tuple[int, int]
) -> None:
    engine = FakeEngine()
    generation = generation_of(from_image=True, upscale={"scale": 4.0})
    with pytest.raises(InvalidRequestError, match="at most 512 are allowed") as refused:
        run(engine, generation, executor, Inputs(landscape(size)))
    assert [error.pointer for error in refused.value.errors] == ["#/upscale/scale"]
    assert engine.calls == []


def test_both_scales_together_are_held_to_the_limit(executor: ContextThreadPool) -> None:
    engine = FakeEngine()
    generation = generation_of(hires={"scale": 2.0}, upscale={"scale": 4.0})
    with pytest.raises(InvalidRequestError) as refused:
        run(engine, generation, executor, max_output_size=504)
    assert [error.pointer for error in refused.value.errors] == ["#/upscale/scale"]
    engine.gate.set()
    assert run(engine, generation, executor, max_output_size=512).images[0].size == (512, 512)


@pytest.mark.parametrize("name", ["hires", "upscale"])
def test_an_upscaler_that_does_not_exist_is_said_before_anything_is_drawn(
    executor: ContextThreadPool, name: str
) -> None:
    engine = FakeEngine()
    with pytest.raises(ProblemError, match="no upscaler 'none' at this endpoint") as refused:
        run(engine, generation_of(**{name: {"upscaler": "none"}}), executor)
    assert refused.value.code is ErrorCode.ADAPTER_NOT_FOUND
    assert [error.pointer for error in refused.value.errors] == [f"#/{name}/upscaler"]
    assert engine.calls == []


@pytest.mark.parametrize("name", ["hires", "upscale"])
def test_an_upscaler_that_cannot_be_used_is_said_before_anything_is_drawn(
    engine: Engine, tmp_path: Path, executor: ContextThreadPool, name: str
) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"broken")
    seen: list[tuple[int, int]] = []
    with pytest.raises(ProblemError, match="not a complete safetensors file") as refused:
        run(
            engine,
            generation_of(**{name: {"upscaler": "broken"}}),
            executor,
            on_step=lambda *told: seen.append(told),
            fetch=lambda name, pointer: AdapterFile(name, path, "1"),
        )
    assert [error.pointer for error in refused.value.errors] == [f"#/{name}/upscaler"]
    assert seen == []
    assert run(engine, generation_of(**{name: {"scale": 1.5}}), executor).images[0].size == (96, 96)
