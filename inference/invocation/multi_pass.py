"""The passes of a job: it is drawn, drawn anew over what came of that, and enlarged when it is finished."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from PIL import Image

from contract.generation import Generation, InvalidRequestError
from contract.keys import LANCZOS
from contract.options import Hires, Upscale
from contract.problem import FieldError
from contract.size import Size, to_grid
from inference.engine.interface import Engine, GenerationOutput, Inputs, OnStep
from inference.invocation.step_counter import StepCounter
from inference.invocation.upscalers import UpscalerResolver

_T = TypeVar("_T")


class MultiPassGenerator:
    """Sends jobs through the engine as often as they ask for.

    Cancelling a coroutine cancels whatever the engine does for it.
    """

    def __init__(
        self, engine: Engine, enlargers: UpscalerResolver, *, max_output_sizes: Mapping[str, int]
    ) -> None:
        """Takes what it works with.

        Args:
            engine: draws.
            enlargers: enlarge what is drawn.
            max_output_sizes: pixels, the most width and height that a picture may be enlarged to; by model.
        """
        self._engine = engine
        self._enlargers = enlargers
        self._max_output_sizes = max_output_sizes

    async def draw(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> GenerationOutput:
        """Draws, and a second time where the generation has a hires pass; see `Engine.submit`.

        Raises:
            ProblemError: a pass would make too large a picture, has no upscaler, or fails.
        """
        await self._look_ahead(generation, inputs)
        tally = StepCounter(generation, on_step)
        drawing = await asyncio.wrap_future(self._engine.submit(generation, inputs, tally.first))
        if generation.hires is None:
            return drawing
        return await self._draw_anew(generation, generation.hires, inputs, drawing, tally)

    async def upscale(self, generation: Generation, drawing: GenerationOutput) -> GenerationOutput:
        """The drawing with its pictures enlarged, if the generation asks for that.

        Raises:
            ProblemError: the pictures would become too large, there is no upscaler, or it fails.
        """
        options, began = generation.upscale, time.monotonic()
        if options is None:
            return drawing
        enlarge = await self._enlargers.find(options.upscaler, pointer="#/upscale/upscaler")
        sizes = [self._upscaled(image.size, generation, options) for image in drawing.images]
        images = await _together(map(enlarge, drawing.images, sizes))
        return replace(drawing, images=tuple(images), seconds=drawing.seconds + time.monotonic() - began)

    async def _look_ahead(self, generation: Generation, inputs: Inputs) -> None:
        """Lets what is bound to fail later fail before anything is drawn."""
        size = inputs.size(generation)
        if generation.hires is not None:
            size = self._drawn_anew(size, generation, generation.hires)
            await self._enlargers.find(generation.hires.upscaler, pointer="#/hires/upscaler")
        if generation.upscale is not None:
            self._upscaled(size, generation, generation.upscale)
            await self._enlargers.find(generation.upscale.upscaler, pointer="#/upscale/upscaler")

    async def _draw_anew(
        self,
        generation: Generation,
        hires: Hires,
        inputs: Inputs,
        drawing: GenerationOutput,
        tally: StepCounter,
    ) -> GenerationOutput:
        """Image to image over each picture of the first pass, with its own seed, by itself."""
        began = time.monotonic()
        size = self._drawn_anew(drawing.images[0].size, generation, hires)
        enlarge = await self._enlargers.find(hires.upscaler, pointer="#/hires/upscaler")
        enlarge_map = await self._enlargers.find(LANCZOS, pointer="#/controlnets")
        controls = await _together(enlarge_map(control, size) for control in inputs.control_images)

        async def draw(index: int, picture: Image.Image) -> GenerationOutput:
            again = _second_pass(generation, hires, size, seed=generation.seeds[index])
            enlarged = await asyncio.wrap_future(enlarge(picture, size))
            start = replace(inputs, image=enlarged, control_images=tuple(controls))
            return await asyncio.wrap_future(self._engine.submit(again, start, partial(tally.second, index)))

        second = await _together(draw(index, picture) for index, picture in enumerate(drawing.images))
        every = (drawing, *second)
        return GenerationOutput(
            images=tuple(each.images[0] for each in second),
            batch_size=max(each.batch_size for each in every),
            seconds=drawing.seconds + time.monotonic() - began,
            fallbacks=tuple(dict.fromkeys(words for each in every for words in each.fallbacks)),
        )

    def _drawn_anew(self, size: Size, generation: Generation, hires: Hires) -> Size:
        """The size of the second pass: on the grid that the model draws on."""
        width, height = (to_grid(side * hires.scale) for side in size)
        return self._allowed((width, height), generation, "#/hires/scale")

    def _upscaled(self, size: Size, generation: Generation, upscale: Upscale) -> Size:
        width, height = (round(side * upscale.scale) for side in size)
        return self._allowed((width, height), generation, "#/upscale/scale")

    def _allowed(self, size: Size, generation: Generation, pointer: str) -> Size:
        most = self._max_output_sizes[generation.model]
        if max(size) > most:
            detail = f"would make {max(size)} pixels a side; at most {most} are allowed"
            raise InvalidRequestError((FieldError(pointer=pointer, detail=detail),))
        return size


def _second_pass(generation: Generation, hires: Hires, size: Size, *, seed: int) -> Generation:
    width, height = size
    changes = {
        "width": width,
        "height": height,
        "steps": hires.steps or generation.steps,
        "strength": hires.strength,
        "seed": seed,
        "count": 1,
        "hires": None,
        "upscale": None,
    }
    return generation.model_copy(update=changes)


async def _together(given: Iterable[Future[_T] | Coroutine[Any, Any, _T]]) -> list[_T]:
    """What comes of them; where one fails, or they are cancelled, none goes on."""
    tasks = [
        asyncio.wrap_future(each) if isinstance(each, Future) else asyncio.create_task(each) for each in given
    ]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
