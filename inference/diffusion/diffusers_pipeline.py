"""Whatever else draws from a prompt: its own pipeline, one generation at a time."""

from collections import deque
from concurrent.futures import CancelledError
from functools import partial
from inspect import signature
from typing import Any

import torch
from PIL import Image

from contract.generation import Generation
from contract.problem import FieldError, describe
from inference.diffusion.tasks.failures import answering
from inference.diffusion.tasks.generation_task import Ticket
from inference.engine.errors import UnsupportedTaskError

_NOT_OFFERED = (
    "input_image",
    "mask_image",
    "outpaint",
    "hires",
    "loras",
    "embeddings",
    "controlnets",
    "vae",
    "refiner_start",
)
_NEEDED = {"prompt", "width", "height", "num_inference_steps"}


class UnsupportedModelError(RuntimeError):
    """The directory holds a pipeline that does not draw from a prompt."""


class StockPipeline:
    """Draws with a pipeline as diffusers has it, text to image only, with the model's own scheduler."""

    def __init__(self, pipeline: Any) -> None:
        """Takes over a loaded pipeline.

        Raises:
            UnsupportedModelError: it does not draw from a prompt alone.
        """
        self._parameters = signature(pipeline.__call__).parameters
        if not self._parameters.keys() >= _NEEDED:
            raise UnsupportedModelError(
                f"{type(pipeline).__name__} does not draw from a prompt; use a text-to-image pipeline"
            )
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._waiting: deque[Ticket] = deque()

    @property
    def busy(self) -> bool:
        """See `inference.diffusion.engine_thread.Work.busy`."""
        return bool(self._waiting)

    def admit(self, ticket: Ticket) -> None:
        """See `inference.diffusion.engine_thread.Work.admit`."""
        with ticket:
            generation = ticket.generation
            asked = [name for name in _NOT_OFFERED if getattr(generation, name)]
            if generation.clip_skip > 1:
                asked.append("clip_skip")
            if asked:
                detail = "this model draws from a prompt alone; leave it out"
                errors = tuple(FieldError(pointer=f"#/{name}", detail=detail) for name in asked)
                raise UnsupportedTaskError(describe(errors), errors=errors)
            self._waiting.append(ticket)

    def turn(self) -> None:
        """Draws the oldest generation, or drops it if nobody waits for it."""
        ticket = self._waiting.popleft()
        if ticket.over:
            return
        with answering(ticket):
            self._draw(ticket)

    def _draw(self, ticket: Ticket) -> None:
        generation = ticket.generation
        ticket.begin()

        def report(pipe: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if ticket.over:
                raise CancelledError
            for _ in generation.seeds:
                ticket.step(pipe.num_timesteps, bucket=generation.count)
            return tensors

        output = self._pipeline(**self._understood(_arguments(generation), callback_on_step_end=report))
        for index, image in enumerate(output.images):
            ticket.deliver(index, partial(_finished, image))

    def _understood(self, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {name: value for name, value in (arguments | more).items() if name in self._parameters}


def _arguments(generation: Generation) -> dict[str, Any]:
    return {
        "prompt": generation.prompt,
        "negative_prompt": generation.negative_prompt,
        "width": generation.width,
        "height": generation.height,
        "num_inference_steps": generation.steps,
        "guidance_scale": generation.guidance_scale,
        "num_images_per_prompt": generation.count,
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in generation.seeds],
    }


def _finished(image: Image.Image) -> Image.Image:
    return image
