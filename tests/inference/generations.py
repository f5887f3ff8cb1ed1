"""Requests to an engine, without a server around it."""

from concurrent.futures import Executor, Future
from typing import Any

from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.request import JobRequest

MODEL = ModelDeclaration(
    name="demo",
    defaults=ModelDefaults(width=64, height=64, steps=4, sampler="euler"),
    limits=ModelLimits(max_count=8, max_steps=1000),
)


def generation_of(*, from_image: bool = False, model: ModelDeclaration = MODEL, **request: Any) -> Generation:
    if from_image:
        request["input_image"] = "s3://data/inputs/a.png"
    asked = JobRequest.model_validate({"prompt": "a red circle", "seed": 11, **request})
    return Generation.resolve(asked, model, job_id=new_job_id(), seed=0)


def landscape(size: tuple[int, int] = (64, 64)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    image.paste("green", (0, size[1] // 2, *size))
    return image


class Inline(Executor):
    """Does what it is given at once, so that a test sees every step of a loop."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
