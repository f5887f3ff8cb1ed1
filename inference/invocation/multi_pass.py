"""Multi-pass generation: a first pass, an optional hires pass over its images, and optional upscaling."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from PIL import Image

from contract.generation import Generation, InvalidRequestError
from contract.keys import LANCZOS
from contract.options import Hires, Upscale
from contract.problem import FieldError
from contract.prompts.editing import second_pass_text
from contract.prompts.prompt import hires_prompt
from contract.samplers import find_sampler
from contract.size import Size, to_grid
from inference.engine.interface import Callbacks, Engine, GenerationOutput, Inputs
from inference.invocation.step_counter import StepCounter
from inference.invocation.upscalers import UpscalerResolver

_T = TypeVar("_T")


class MultiPassGenerator:
    """Runs the passes of generations on the engine.

    Cancelling a coroutine cancels the futures that the engine has returned for it.
    """

    def __init__(
        self, engine: Engine, upscalers: UpscalerResolver, *, max_output_sizes: Mapping[str, int]
    ) -> None:
        """Creates the generator.

        Args:
            engine: runs the passes.
            upscalers: upscalers by name.
            max_output_sizes: by model, the largest width and height in pixels after hires pass and upscaling.
        """
        self._engine = engine
        self._upscalers = upscalers
        self._max_output_sizes = max_output_sizes

    async def generate(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> GenerationOutput:
        """Runs the first pass and, if the generation has one, the hires pass; see `Engine.submit`.

        Raises:
            ProblemError: an output would be too large, an upscaler cannot be used, or a pass fails.
        """
        await self._validate(generation, inputs)
        counter = StepCounter(generation, callbacks)
        future = self._engine.submit(generation, inputs, counter.first_pass())
        first_pass = await asyncio.wrap_future(future)
        if generation.hires is None:
            return first_pass
        return await self._hires_pass(generation, generation.hires, inputs, first_pass, counter)

    async def upscale(self, generation: Generation, output: GenerationOutput) -> GenerationOutput:
        """Upscales the images of `output`, if the generation requests it.

        Raises:
            ProblemError: an image would be too large, the upscaler cannot be used, or it fails.
        """
        options, started_at = generation.upscale, time.monotonic()
        if options is None:
            return output
        upscale = await self._upscalers.find(options.upscaler, pointer="#/upscale/upscaler")
        sizes = [self._upscaled_size(image.size, generation, options) for image in output.images]
        images = await _gather_or_cancel(map(upscale, output.images, sizes))
        return replace(output, images=tuple(images), seconds=output.seconds + time.monotonic() - started_at)

    async def _validate(self, generation: Generation, inputs: Inputs) -> None:
        """Checks output sizes and loads the upscalers before the first pass, so that errors come early."""
        size = inputs.size(generation)
        if generation.hires is not None:
            size = self._hires_size(size, generation, generation.hires)
            await self._upscalers.find(generation.hires.upscaler, pointer="#/hires/upscaler")
        if generation.upscale is not None:
            self._upscaled_size(size, generation, generation.upscale)
            await self._upscalers.find(generation.upscale.upscaler, pointer="#/upscale/upscaler")

    async def _hires_pass(
        self,
        generation: Generation,
        hires: Hires,
        inputs: Inputs,
        first_pass: GenerationOutput,
        counter: StepCounter,
    ) -> GenerationOutput:
        """Upscales each image of the first pass and runs image-to-image on it, with the image's own seed."""
        started_at = time.monotonic()
        size = self._hires_size(first_pass.images[0].size, generation, hires)
        upscale = await self._upscalers.find(hires.upscaler, pointer="#/hires/upscaler")
        resize = await self._upscalers.find(LANCZOS, pointer="#/controlnets")
        control_images = await _gather_or_cancel(resize(image, size) for image in inputs.control_images)

        async def regenerate(index: int, image: Image.Image) -> GenerationOutput:
            hires_generation = _hires_generation(generation, hires, size, seed=generation.seeds[index])
            upscaled = await asyncio.wrap_future(upscale(image, size))
            hires_inputs = replace(inputs, image=upscaled, control_images=tuple(control_images))
            future = self._engine.submit(hires_generation, hires_inputs, counter.hires_pass(index))
            return await asyncio.wrap_future(future)

        hires_passes = await _gather_or_cancel(
            regenerate(index, image) for index, image in enumerate(first_pass.images)
        )
        passes = (first_pass, *hires_passes)
        return GenerationOutput(
            images=tuple(each.images[0] for each in hires_passes),
            batch_size=max(each.batch_size for each in passes),
            seconds=first_pass.seconds + time.monotonic() - started_at,
            fallbacks=tuple(dict.fromkeys(fallback for each in passes for fallback in each.fallbacks)),
        )

    def _hires_size(self, size: Size, generation: Generation, hires: Hires) -> Size:
        """The size of the hires pass, rounded to the grid of sizes that the model supports."""
        width, height = (to_grid(side * hires.scale) for side in size)
        return self._check_size((width, height), generation, "#/hires/scale")

    def _upscaled_size(self, size: Size, generation: Generation, upscale: Upscale) -> Size:
        width, height = (round(side * upscale.scale) for side in size)
        return self._check_size((width, height), generation, "#/upscale/scale")

    def _check_size(self, size: Size, generation: Generation, pointer: str) -> Size:
        limit = self._max_output_sizes[generation.model]
        if max(size) > limit:
            detail = (
                f"would make an image of {size[0]} x {size[1]} pixels; at most {limit} a side are allowed"
            )
            raise InvalidRequestError((FieldError(pointer=pointer, detail=detail),))
        return size


def _hires_generation(generation: Generation, hires: Hires, size: Size, *, seed: int) -> Generation:
    width, height = size
    steps = hires.steps or generation.steps
    per_step = find_sampler(generation.sampler).evaluations_per_step
    first_pass, second_pass = per_step * generation.steps, per_step * int(steps * hires.strength)
    changes = {
        "prompt": hires_prompt(generation.prompt, first_pass=first_pass, second_pass=second_pass),
        "negative_prompt": second_pass_text(
            generation.negative_prompt, first_pass=first_pass, second_pass=second_pass
        ),
        "width": width,
        "height": height,
        "steps": steps,
        "strength": hires.strength,
        "seed": seed,
        "count": 1,
        "hires": None,
        "upscale": None,
    }
    return generation.model_copy(update=changes)


async def _gather_or_cancel(awaitables: Iterable[Future[_T] | Coroutine[Any, Any, _T]]) -> list[_T]:
    """The results in order; if one fails, or the caller is cancelled, the others are cancelled."""
    tasks: list[asyncio.Future[_T]] = []
    try:
        tasks.extend(
            asyncio.wrap_future(each) if isinstance(each, Future) else asyncio.create_task(each)
            for each in awaitables
        )
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
