"""An engine that draws at a test's command, and what goes with it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from inference.contract.environment import ContainerEnvironment
from inference.contract.generation import Generation
from inference.contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from inference.engine import OnStep
from inference.invocation import InvocationHandler, Threads
from inference.storage import DataBucket
from inference.telemetry import Telemetry

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
    calls: list[tuple[Generation, Image.Image | None]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    error: Exception | None = None

    @property
    def versions(self) -> Mapping[str, str]:
        return {"scripted": "1"}

    def generate(
        self, generation: Generation, input_image: Image.Image | None, on_step: OnStep
    ) -> list[Image.Image]:
        self.calls.append((generation, input_image))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.drawing.set()
        assert self.gate.wait(20), "the test never opened the gate"
        if self.error is not None:
            self.at_once -= 1
            raise self.error
        for step in range(generation.steps):
            on_step(step + 1, generation.steps)
        self.at_once -= 1
        size = input_image.size if input_image else (generation.width or 0, generation.height or 0)
        return [Image.new("RGB", size, (seed % 256, 0, 0)) for seed in generation.seeds]


def handler_of(
    engine: ScriptedEngine,
    s3: Any,
    environment: ContainerEnvironment = ENVIRONMENT,
    clock: Callable[[], float] = time.monotonic,
) -> InvocationHandler:
    return InvocationHandler(
        engine=engine,
        bucket=DataBucket(s3, BUCKET),
        environment=environment,
        threads=Threads.start(),
        telemetry=Telemetry(stage=environment.stage, model=environment.model.name, clock=clock),
    )
