"""A fake engine, and an invocation handler that runs on it."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from inference.artifacts.adapter_store import AdapterStore
from inference.data_bucket import DataBucket
from inference.engine.errors import EngineClosedError
from inference.engine.interface import AdapterFile, Callbacks, Engine, GenerationOutput, Inputs, UpscaleImage
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.executors import Executors
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.observability.metrics import ContainerMetrics
from inference.output.postprocessing import Postprocessor
from inference.wiring import create_image_generator
from tests.waiting import LIMIT_S

BUCKET = "data"
ENVIRONMENT = ContainerEnvironment(
    model=ModelDeclaration(
        name="demo",
        defaults=ModelDefaults(width=128, height=128, steps=4),
        limits=ModelLimits(min_size=64, max_size=256, max_count=4),
    ),
    data_bucket_name=BUCKET,
    max_input_image_bytes=20_000,
    max_input_image_pixels=100_000,
)


def opened() -> threading.Event:
    """An event that is set."""
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class FakeEngine:
    """Generates images of one colour: the seed is the red channel.

    Attributes:
        gate: generations block until it is set.
        started: set once a generation has begun.
        steps_gate: generations block after their first step until it is set.
        calls: the generation and the inputs of each `submit`.
        previews: whether each `submit` asked for previews.
        error: raised by generations, unless None.
        seconds: reported by `GenerationOutput.seconds`.
        closed: whether `close` has been called.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    steps_gate: threading.Event = field(default_factory=opened)
    calls: list[tuple[Generation, Inputs]] = field(default_factory=list)
    previews: list[bool] = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0
    closed: bool = False
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @property
    def versions(self) -> Mapping[str, str]:
        return {"fake": "1"}

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        self.calls.append((generation, inputs))
        self.previews.append(callbacks.previews is not None)
        return self._pool.submit(self._generate, generation, inputs, callbacks)

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        raise NotImplementedError

    def check(self) -> None:
        if self.closed:
            raise EngineClosedError("closed")

    def close(self) -> None:
        self.closed = True

    def _generate(self, generation: Generation, inputs: Inputs, callbacks: Callbacks) -> GenerationOutput:
        self.started.set()
        assert self.gate.wait(LIMIT_S), "the test did not open the gate"
        if self.error is not None:
            raise self.error
        for step in range(1, generation.steps + 1):
            if callbacks.previews is not None and callbacks.previews.claim():
                callbacks.previews.on_preview(Image.new("RGB", (16, 8), "red"), step)
            callbacks.on_step(step, generation.steps)
            assert self.steps_gate.wait(LIMIT_S), "the test did not open the gate"
        size = inputs.size(generation)
        images = tuple(Image.new("RGB", size, (seed % 256, 0, 0)) for seed in generation.seeds)
        return GenerationOutput(images=images, batch_size=len(images), seconds=self.seconds)


def create_handler(
    engine: Engine,
    s3: Any,
    environment: ContainerEnvironment = ENVIRONMENT,
    clock: Callable[[], float] = time.monotonic,
    postprocessor: Postprocessor | None = None,
    adapters: AdapterStore | None = None,
) -> InvocationHandler:
    """An invocation handler; `adapters` finds none by default."""
    bucket = DataBucket(s3, environment.data_bucket_name)
    executors = Executors()
    return InvocationHandler(
        engine=engine,
        generator=create_image_generator(
            engine,
            environment=environment,
            bucket=bucket,
            adapters=adapters or AdapterStore(None, None, Path("nowhere"), max_bytes=0),
            executors=executors,
            fetcher=PublicFetcher(),
        ),
        postprocessor=postprocessor or Postprocessor(),
        bucket=bucket,
        environment=environment,
        executors=executors,
        metrics=ContainerMetrics(stage=environment.stage, model=environment.model.name, clock=clock),
        running_jobs=RunningJobs(),
        revision_of=lambda model: f"revision of {model}",
    )
