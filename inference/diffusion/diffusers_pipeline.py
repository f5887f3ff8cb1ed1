"""Pipelines that the denoising loop does not support: run by diffusers, one generation at a time."""

from collections import deque
from concurrent.futures import CancelledError
from functools import partial
from inspect import signature
from typing import Any

from PIL import Image

from contract.problem import describe
from inference.diffusion.pipeline_fields import PipelineFields
from inference.diffusion.tasks.failures import failing
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.errors import UnsupportedTaskError

_REQUIRED_PARAMETERS = {"prompt", "width", "height", "num_inference_steps"}


class UnsupportedModelError(RuntimeError):
    """The directory holds a pipeline that is not text-to-image."""


class DiffusersPipeline:
    """Runs a diffusers pipeline as it is: text-to-image only, with the model's own scheduler."""

    def __init__(self, pipeline: Any) -> None:
        """Takes a loaded pipeline.

        Raises:
            UnsupportedModelError: the pipeline is not text-to-image.
        """
        self._parameters = signature(pipeline.__call__).parameters
        if not self._parameters.keys() >= _REQUIRED_PARAMETERS:
            raise UnsupportedModelError(
                f"{type(pipeline).__name__} is not a text-to-image pipeline; deploy a model that has one"
            )
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._fields = PipelineFields(pipeline)
        self._queue: deque[GenerationTask] = deque()

    @property
    def has_unfinished_requests(self) -> bool:
        """See `inference.diffusion.engine_thread.Worker.has_unfinished_requests`."""
        return bool(self._queue)

    @property
    def has_room(self) -> bool:
        """See `inference.diffusion.engine_thread.GenerationWorker.has_room`; generations run one by one."""
        return not self._queue

    def add_request(self, task: GenerationTask) -> None:
        """Queues the task, or fails it if its generation has fields that this pipeline does not support."""
        with task:
            errors = tuple(self._fields.errors(task.generation, chosen=task.inputs.chosen))
            if errors:
                raise UnsupportedTaskError(describe(errors), errors=errors)
            self._queue.append(task)

    def step(self) -> None:
        """Runs the oldest generation to its end, unless it is cancelled."""
        task = self._queue.popleft()
        if task.done:
            return
        with failing(task):
            self._generate(task)

    def _generate(self, task: GenerationTask) -> None:
        generation = task.generation
        task.start()
        if generation.preview:
            task.record_fallback("no previews: models of this architecture have none")
        task.record_unused(self._fields.unused(generation))

        def on_step_end(pipeline: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if task.done:
                raise CancelledError
            for _ in generation.seeds:
                task.report_step(pipeline.num_timesteps, batch_size=generation.count)
            return tensors

        arguments = self._fields.arguments(generation) | {"callback_on_step_end": on_step_end}
        accepted = {name: value for name, value in arguments.items() if name in self._parameters}
        for index, image in enumerate(self._pipeline(**accepted).images):
            task.complete_image(index, partial(_unchanged, image))


def _unchanged(image: Image.Image) -> Image.Image:
    return image
