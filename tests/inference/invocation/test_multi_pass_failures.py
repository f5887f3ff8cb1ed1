"""Multi-pass generations that are cancelled, fail or are refused before the first pass."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from contract.generation import Generation, InvalidRequestError
from contract.problem import ErrorCode, ProblemError
from contract.size import Size
from inference.diffusion.loader import create_engine
from inference.engine.errors import EngineClosedError, OutOfMemoryError
from inference.engine.interface import AdapterFile, Callbacks, Engine, GenerationOutput, Inputs, UpscaleImage
from inference.invocation.executors import Executors
from inference.invocation.multi_pass import MultiPassGenerator
from inference.invocation.upscalers import UpscalerResolver
from inference.observability.logs import ContextThreadPool
from tests.inference import tiny_models
from tests.inference.fake_engine import FakeEngine
from tests.inference.generations import NO_CALLBACKS, generation_of, landscape
from tests.inference.invocation.coroutines import run_ready_callbacks, run_within_limit
from tests.inference.invocation.pass_runner import NO_INPUTS, run, run_passes

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture(scope="module")
def engine(pipeline: Any) -> Iterator[Engine]:
    engine = create_engine(pipeline, max_batch_size=8)
    yield engine
    engine.close()


class ManualEngine(FakeEngine):
    """Puts every future that it returns into a queue; the test completes them."""

    def __init__(self) -> None:
        super().__init__()
        self.returned: asyncio.Queue[Future[Any]] = asyncio.Queue()
        self.upscaler_error_at = 0
        self._upscaler_calls = 0

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        return self._return_future()

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        return self._upscale

    def _upscale(self, image: Image.Image, size: Size) -> Future[Image.Image]:
        self._upscaler_calls += 1
        if self._upscaler_calls == self.upscaler_error_at:
            raise EngineClosedError("closed")
        return self._return_future()

    def _return_future(self) -> Future[Any]:
        future: Future[Any] = Future()
        self.returned.put_nowait(future)
        return future


def output(count: int = 1, **fields: Any) -> GenerationOutput:
    image = Image.new("RGB", (64, 64))
    return GenerationOutput(**{"images": (image,) * count, "batch_size": 1, "seconds": 1.0} | fields)


FILE = AdapterFile("tiny", Path("tiny.pth"), "1")
HIRES = {"scale": 2.0, "upscaler": "tiny"}
UPSCALED = Image.new("RGB", (128, 128))
Futures = list[Future[Any]]


class Stage(NamedTuple):
    """A moment in a job of two images.

    Attributes:
        request: fields of the job's request.
        results: of the futures that the engine has returned before.
        pending: number of futures that are pending at this moment.
    """

    request: dict[str, Any]
    results: list[Any]
    pending: int


STAGES = {
    "first pass": Stage({"hires": HIRES}, [], 1),
    "upscaling before the hires pass": Stage({"hires": HIRES}, [output(2)], 2),
    "hires pass": Stage({"hires": HIRES}, [output(2), UPSCALED, UPSCALED], 2),
    "upscaling": Stage({"upscale": HIRES}, [output(2)], 2),
}


def create_passes(engine: Engine, executor: ContextThreadPool) -> MultiPassGenerator:
    upscalers = UpscalerResolver(
        engine, lambda name, pointer: FILE, executors=Executors(adapters=executor, outputs=executor)
    )
    return MultiPassGenerator(engine, upscalers, max_output_sizes={"demo": 512})


def run_to_stage(
    name: str, executor: ContextThreadPool, then: Callable[[Any, Futures], None]
) -> tuple[Any, Futures]:
    """Runs a job to a stage, calls `then` with its task and the pending futures, and waits for its end.

    Returns:
        The job's result or exception, and the futures.
    """
    stage = STAGES[name]

    async def work() -> tuple[Any, Futures]:
        engine = ManualEngine()
        generation = generation_of(count=2, **stage.request)
        passes = create_passes(engine, executor)
        task = asyncio.create_task(run_passes(passes, generation, NO_INPUTS, NO_CALLBACKS))
        for result in stage.results:
            (await engine.returned.get()).set_result(result)
        pending = [await engine.returned.get() for _ in range(stage.pending)]
        then(task, pending)
        return (await asyncio.gather(task, return_exceptions=True))[0], pending

    return run_within_limit(work())


@pytest.mark.parametrize("stage", STAGES)
def test_cancelling_a_job_cancels_its_futures_on_the_engine(executor: ContextThreadPool, stage: str) -> None:
    outcome, futures = run_to_stage(stage, executor, lambda task, _: task.cancel())
    assert isinstance(outcome, asyncio.CancelledError)
    assert all(future.cancelled() for future in futures)


@pytest.mark.parametrize("stage", list(STAGES)[1:])
def test_if_one_image_fails_the_others_are_cancelled(executor: ContextThreadPool, stage: str) -> None:
    error = OutOfMemoryError("no room")
    outcome, (_, other) = run_to_stage(stage, executor, lambda _, futures: futures[0].set_exception(error))
    assert outcome is error
    assert other.cancelled()


def test_if_the_engine_refuses_to_upscale_an_image_the_upscaling_of_the_others_is_cancelled(
    executor: ContextThreadPool,
) -> None:
    async def work() -> None:
        engine = ManualEngine()
        engine.upscaler_error_at = 2
        generation = generation_of(count=2, upscale=HIRES)
        with pytest.raises(EngineClosedError):
            await create_passes(engine, executor).upscale(generation, output(2))
        await run_ready_callbacks()
        assert engine.returned.get_nowait().cancelled()

    run_within_limit(work())


@pytest.mark.parametrize("batch_sizes", [(8, 4, 1), (2, 4, 8)])
def test_the_output_has_the_largest_batch_size_each_fallback_once_and_the_total_seconds(
    executor: ContextThreadPool, batch_sizes: tuple[int, int, int]
) -> None:
    outputs = [output(2, batch_size=batch_sizes[0], fallbacks=("slow", "small"))]
    outputs += [output(batch_size=each, fallbacks=("slow", f"of {each}")) for each in batch_sizes[1:]]

    async def work() -> GenerationOutput:
        engine = ManualEngine()
        generation = generation_of(count=2, hires={"scale": 2.0})
        passes = create_passes(engine, executor)
        job = asyncio.create_task(passes.generate(generation, NO_INPUTS, NO_CALLBACKS))
        for result in outputs:
            (await engine.returned.get()).set_result(result)
        return await job

    combined = run_within_limit(work())
    assert (combined.batch_size, len(combined.images)) == (8, 2)
    assert sorted(combined.fallbacks) == sorted(
        {"slow", "small", *(f"of {each}" for each in batch_sizes[1:])}
    )
    assert combined.seconds > 1.0


def test_the_seconds_of_the_output_include_upscaling(executor: ContextThreadPool) -> None:
    def complete(_: Any, futures: Futures) -> None:
        for future in futures:
            future.set_result(UPSCALED)

    upscaled, _ = run_to_stage("upscaling", executor, complete)
    assert upscaled.images == (UPSCALED, UPSCALED)
    assert upscaled.seconds > 1.0


@pytest.mark.parametrize("size", [(136, 64), (64, 136)])
def test_an_input_image_whose_output_would_be_too_large_is_refused_before_the_first_pass(
    executor: ContextThreadPool, size: tuple[int, int]
) -> None:
    engine = FakeEngine()
    generation = generation_of(from_image=True, upscale={"scale": 4.0})
    with pytest.raises(InvalidRequestError, match="at most 512 a side are allowed") as refused:
        run(engine, generation, executor, Inputs(landscape(size)))
    assert [error.pointer for error in refused.value.errors] == ["#/upscale/scale"]
    assert engine.calls == []


def test_the_limit_applies_to_the_product_of_both_scales(executor: ContextThreadPool) -> None:
    engine = FakeEngine()
    generation = generation_of(hires={"scale": 2.0}, upscale={"scale": 4.0})
    with pytest.raises(InvalidRequestError) as refused:
        run(engine, generation, executor, max_output_size=504)
    assert [error.pointer for error in refused.value.errors] == ["#/upscale/scale"]
    engine.gate.set()
    assert run(engine, generation, executor, max_output_size=512).images[0].size == (512, 512)


@pytest.mark.parametrize("name", ["hires", "upscale"])
def test_an_unknown_upscaler_is_refused_before_the_first_pass(executor: ContextThreadPool, name: str) -> None:
    engine = FakeEngine()
    with pytest.raises(ProblemError, match="no upscaler 'none'") as refused:
        run(engine, generation_of(**{name: {"upscaler": "none"}}), executor)
    assert refused.value.code is ErrorCode.ADAPTER_NOT_FOUND
    assert [error.pointer for error in refused.value.errors] == [f"#/{name}/upscaler"]
    assert engine.calls == []


@pytest.mark.parametrize("name", ["hires", "upscale"])
def test_a_damaged_upscaler_is_refused_before_the_first_pass(
    engine: Engine, tmp_path: Path, executor: ContextThreadPool, name: str
) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"broken")
    reported: list[tuple[int, int]] = []
    with pytest.raises(ProblemError, match="not a complete safetensors file") as refused:
        run(
            engine,
            generation_of(**{name: {"upscaler": "broken"}}),
            executor,
            callbacks=Callbacks(lambda done, total: reported.append((done, total))),
            fetch=lambda name, pointer: AdapterFile(name, path, "1"),
        )
    assert [error.pointer for error in refused.value.errors] == [f"#/{name}/upscaler"]
    assert reported == []
    assert run(engine, generation_of(**{name: {"scale": 1.5}}), executor).images[0].size == (96, 96)
