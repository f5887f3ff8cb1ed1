"""From a generation to its pictures: fetched, drawn, put back, enlarged."""

import asyncio
from concurrent.futures import Executor
from dataclasses import replace

from contract.generation import Generation
from contract.problem import ProblemError
from contract.request import named_images
from inference.artifacts.adapter_store import AdapterStore
from inference.engine.interface import GenerationOutput, OnStep
from inference.input.preprocessing import InputPreprocessor, PreprocessedInputs
from inference.invocation.multi_pass import MultiPassGenerator
from inference.observability.metrics import JobMetrics


class GenerationError(RuntimeError):
    """The engine has failed in words of its own, which are withheld: they may quote the prompt."""


class ImageGenerator:
    """Draws generations. Cancelling a coroutine frees whatever works for it."""

    def __init__(
        self,
        *,
        preparation: InputPreprocessor,
        adapters: AdapterStore,
        passes: MultiPassGenerator,
        transfers: Executor,
        quotes_prompts: bool,
    ) -> None:
        """Takes what it works with.

        Args:
            preparation: fetches and arranges pictures.
            adapters: where LoRAs and their like come from.
            passes: go through the engine.
            transfers: threads for what is done to pictures beside the drawing.
            quotes_prompts: lets errors pass that may quote a prompt.
        """
        self._preparation = preparation
        self._adapters = adapters
        self._passes = passes
        self._transfers = transfers
        self._quotes_prompts = quotes_prompts

    async def draw(self, generation: Generation, job: JobMetrics, on_step: OnStep) -> GenerationOutput:
        """The pictures as the client is to see them.

        Args:
            generation: what to draw.
            job: is told how long fetching has taken.
            on_step: see `inference.engine.interface.Engine.submit`.

        Raises:
            ProblemError: an input cannot be used, or the engine refuses.
            GenerationError: the engine has failed in another way.
        """
        run = asyncio.get_running_loop().run_in_executor
        prepared, adapters = await asyncio.gather(
            self._prepare(generation, job), run(self._transfers, self._adapters.fetch, generation)
        )
        inputs = replace(prepared.inputs, adapters=adapters)
        try:
            drawing = await self._passes.draw(generation, inputs, on_step)
            finished = [run(self._transfers, prepared.finish, image) for image in drawing.images]
            drawing = replace(drawing, images=tuple(await asyncio.gather(*finished)))
            return await self._passes.upscale(generation, drawing)
        except ProblemError:
            raise
        except Exception as error:
            if self._quotes_prompts:
                raise
            withheld = GenerationError(
                f"{type(error).__name__}; its message may quote the prompt: LOG_PROMPTS=true shows it"
            )
            raise withheld.with_traceback(error.__traceback__) from None

    async def _prepare(self, generation: Generation, job: JobMetrics) -> PreprocessedInputs:
        if not named_images(generation):
            return PreprocessedInputs()
        with job.measure("fetch"):
            return await self._preparation.prepare(generation)
