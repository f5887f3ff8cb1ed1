"""Generation of a request's images: preprocessing, the engine's passes, compositing and upscaling."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from contract.generation import Generation
from contract.problem import ProblemError
from contract.request import input_image_uris
from inference.artifacts.adapter_store import AdapterStore
from inference.engine.interface import Callbacks, GenerationOutput
from inference.input.image_preprocessing import PreprocessedInputs
from inference.input.preprocessing import InputPreprocessor
from inference.invocation.executors import Executors
from inference.invocation.multi_pass import MultiPassGenerator
from inference.observability.metrics import JobMetrics


class GenerationError(RuntimeError):
    """The engine failed; the original message is withheld because it may quote the prompt."""


@dataclass(frozen=True)
class GeneratedImages:
    """The images of a request.

    Attributes:
        output: the engine's result, with the finished images.
        input_digests: see `PreprocessedInputs`.
    """

    output: GenerationOutput
    input_digests: Mapping[str, str]


class ImageGenerator:
    """Generates the images of requests. Cancelling a coroutine also cancels its work on the engine."""

    def __init__(
        self,
        *,
        preprocessor: InputPreprocessor,
        adapters: AdapterStore,
        passes: MultiPassGenerator,
        executors: Executors,
        log_prompts: bool,
    ) -> None:
        """Creates the generator.

        Args:
            preprocessor: fetches and prepares the input images.
            adapters: fetches LoRAs, embeddings, ControlNets and VAEs.
            passes: runs the passes on the engine.
            executors: run blocking work outside the engine.
            log_prompts: whether error messages that may quote a prompt are kept.
        """
        self._preprocessor = preprocessor
        self._adapters = adapters
        self._passes = passes
        self._executors = executors
        self._log_prompts = log_prompts

    async def generate(
        self,
        generation: Generation,
        job: JobMetrics,
        callbacks: Callbacks,
        *,
        chosen: frozenset[str] = frozenset(),
    ) -> GeneratedImages:
        """The finished images: unmasked areas restored, then upscaled.

        Args:
            generation: the resolved request.
            job: records how long fetching the input images takes.
            callbacks: see `inference.engine.interface.Engine.submit`.
            chosen: see `inference.engine.interface.Inputs`.

        Raises:
            ProblemError: an input cannot be used, or the engine refuses the request.
            GenerationError: the engine failed in another way.
        """
        async with self._preprocessor.reserve_memory(generation):
            return await self._generate(generation, job, callbacks, chosen)

    async def _generate(
        self, generation: Generation, job: JobMetrics, callbacks: Callbacks, chosen: frozenset[str]
    ) -> GeneratedImages:
        run = asyncio.get_running_loop().run_in_executor
        preprocessed, adapters = await asyncio.gather(
            self._preprocess(generation, job), run(self._executors.adapters, self._adapters.fetch, generation)
        )
        inputs = replace(preprocessed.inputs, adapters=adapters, chosen=chosen)
        try:
            output = await self._passes.generate(generation, inputs, callbacks)
            images = await asyncio.gather(
                *(run(self._executors.outputs, preprocessed.composite, image) for image in output.images)
            )
            output = await self._passes.upscale(generation, replace(output, images=tuple(images)))
            return GeneratedImages(output, preprocessed.input_digests)
        except ProblemError:
            raise
        except Exception as error:
            if self._log_prompts:
                raise
            withheld = GenerationError(
                f"{type(error).__name__}; its message may quote the prompt: set LOG_PROMPTS=true to log it"
            )
            raise withheld.with_traceback(error.__traceback__) from None

    async def _preprocess(self, generation: Generation, job: JobMetrics) -> PreprocessedInputs:
        if not input_image_uris(generation):
            return PreprocessedInputs()
        with job.measure("fetch"):
            return await self._preprocessor.preprocess(generation)
