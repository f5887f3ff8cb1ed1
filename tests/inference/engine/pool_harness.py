"""A fake loader of models for tests of the model pool."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.size import Size
from inference.engine.interface import AdapterFile, Callbacks, Engine, GenerationOutput, Inputs, UpscaleImage
from inference.engine.model_pool import ModelPool
from tests.inference.fake_engine import FakeEngine
from tests.inference.generations import NO_CALLBACKS, generation_of
from tests.waiting import LIMIT_S

UPSCALER = AdapterFile("tiny", Path("tiny.pth"), "1")


@dataclass
class UpscalingEngine(FakeEngine):
    """A fake engine that records the upscalers that it loads."""

    upscalers: list[AdapterFile] = field(default_factory=list)

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        self.upscalers.append(file)

        def upscale(image: Image.Image, size: Size) -> Future[Image.Image]:
            raise NotImplementedError

        return upscale


class FakeLoader:
    """Creates fake engines.

    Attributes:
        engines: the latest engine of each model.
        loads: names of the models, in the order of the loads.
        gate: loads of models other than the first block until it is set.
        error: raised by loads, unless None.
        generation_error: raised by the generations of engines that are loaded while it is set.
    """

    def __init__(self) -> None:
        self.engines: dict[str, UpscalingEngine] = {}
        self.loads: list[str] = []
        self.gate = threading.Event()
        self.error: Exception | None = None
        self.generation_error: Exception | None = None

    def __call__(self, model: str) -> Engine:
        self.loads.append(model)
        if model != "first":
            assert self.gate.wait(LIMIT_S), "the test did not open the gate"
        if self.error is not None:
            raise self.error
        self.engines[model] = UpscalingEngine(error=self.generation_error)
        self.engines[model].gate.set()
        return self.engines[model]


def generation(model: str) -> Generation:
    return generation_of(model=ModelDeclaration(name=model), width=64, height=64, steps=2)


def submit(pool: ModelPool, model: str, callbacks: Callbacks = NO_CALLBACKS) -> Future[GenerationOutput]:
    return pool.submit(generation(model), Inputs(), callbacks)
