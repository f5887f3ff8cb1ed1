"""An engine that draws at a test's command, and what goes with it."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from inference.artifacts.adapter_store import AdapterStore
from inference.data_bucket import DataBucket
from inference.engine.errors import EngineClosedError
from inference.engine.interface import Engine, GenerationOutput, Inputs, OnStep
from inference.input.public_fetcher import PublicFetcher
from inference.invocation.handler import InvocationHandler
from inference.invocation.running_jobs import RunningJobs
from inference.observability.logs import ContextThreads
from inference.observability.metrics import ContainerMetrics
from inference.output.postprocessing import Postprocessor
from inference.wiring import create_image_generator

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


def wait_until(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if holds():
            return
        threading.Event().wait(0.02)
    pytest.fail("it never came to hold")


@dataclass
class ScriptedEngine:
    """Draws single-coloured pictures, when `gate` is open; raises `error` if it has one."""

    gate: threading.Event = field(default_factory=threading.Event)
    drawing: threading.Event = field(default_factory=threading.Event)
    calls: list[tuple[Generation, Inputs]] = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0
    closed: bool = False
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    @property
    def versions(self) -> Mapping[str, str]:
        return {"scripted": "1"}

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[GenerationOutput]:
        self.calls.append((generation, inputs))
        return self.pool.submit(self._draw, generation, inputs, on_step)

    def check(self) -> None:
        if self.closed:
            raise EngineClosedError("closed")

    def close(self) -> None:
        self.closed = True

    def _draw(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> GenerationOutput:
        self.drawing.set()
        assert self.gate.wait(20), "the test never opened the gate"
        if self.error is not None:
            raise self.error
        for step in range(generation.steps):
            on_step(step + 1, generation.steps)
        size = inputs.size(generation)
        images = tuple(Image.new("RGB", size, (seed % 256, 0, 0)) for seed in generation.seeds)
        return GenerationOutput(images=images, batch_size=len(images), seconds=self.seconds)


def handler_of(
    engine: Engine,
    s3: Any,
    environment: ContainerEnvironment = ENVIRONMENT,
    clock: Callable[[], float] = time.monotonic,
    finisher: Postprocessor | None = None,
    running: RunningJobs | None = None,
    web: PublicFetcher | None = None,
    adapters: AdapterStore | None = None,
) -> InvocationHandler:
    bucket, transfers = DataBucket(s3, BUCKET), ContextThreads(max_workers=4)
    return InvocationHandler(
        engine=engine,
        studio=create_image_generator(
            engine,
            environment=environment,
            bucket=bucket,
            adapters=adapters or AdapterStore(None, None, Path("nowhere"), max_bytes=0),
            transfers=transfers,
            web=web,
        ),
        finisher=finisher or Postprocessor(),
        bucket=bucket,
        environment=environment,
        transfers=transfers,
        telemetry=ContainerMetrics(stage=environment.stage, model=environment.model.name, clock=clock),
        running=running or RunningJobs(),
        revision_of=lambda model: f"revision of {model}",
    )
