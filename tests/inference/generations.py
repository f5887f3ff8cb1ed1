"""Resolved generations, inputs and executors for tests that call an engine directly."""

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.request import JobRequest
from inference.engine.interface import Callbacks, Engine, Inputs
from tests.waiting import LIMIT_S

MODEL = ModelDeclaration(
    name="demo",
    defaults=ModelDefaults(width=64, height=64, steps=4, sampler="euler"),
    limits=ModelLimits(max_count=8, max_steps=1000),
)


def generation_of(*, from_image: bool = False, model: ModelDeclaration = MODEL, **request: Any) -> Generation:
    """The resolved generation of a request; `from_image` gives it an input image."""
    if from_image:
        request["input_image"] = "s3://data/inputs/a.png"
    job = JobRequest.model_validate({"prompt": "a red circle", "seed": 11, **request})
    return Generation.resolve(job, model, job_id=new_job_id(), seed=0)


def generate(engine: Engine, image: Image.Image | None = None, **request: Any) -> list[np.ndarray]:
    """The images that the engine generates for a request, each (height, width, 3) in 8 bits."""
    generation = generation_of(from_image=image is not None, **request)
    output = engine.submit(generation, Inputs(image), Callbacks()).result(LIMIT_S)
    return [np.asarray(each) for each in output.images]


def landscape(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """White above, green below."""
    image = Image.new("RGB", size, "white")
    image.paste("green", (0, size[1] // 2, *size))
    return image


NO_CALLBACKS = Callbacks()


class InlineExecutor(Executor):
    """Runs each call in the caller's thread before `submit` returns."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
