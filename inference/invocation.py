"""One invocation from its body to its result document: fetch, denoise, encode, upload."""

import asyncio
import hashlib
import logging
from concurrent.futures import Executor
from dataclasses import dataclass

from PIL import Image
from pydantic import ValidationError

from inference import images
from inference.contract.environment import ContainerEnvironment
from inference.contract.generation import Generation, InvalidRequestError, new_seed
from inference.contract.problem import FieldError, ProblemError
from inference.contract.request import InvocationRequest
from inference.contract.result import GenerationResult, ImageResult
from inference.contract.validation import field_errors
from inference.engine import Engine, OnStep
from inference.logs import ContextThreads
from inference.progress import ProgressPublisher
from inference.storage import DataBucket
from inference.telemetry import JobTelemetry, Telemetry

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Threads:
    """Where work runs that would hold up the event loop."""

    drawing: Executor
    """One thread: the accelerator takes one generation at a time."""

    transfers: Executor
    """Fetching, encoding and storing, beside the drawing."""

    @classmethod
    def start(cls) -> "Threads":
        """Fresh threads; they end with the process."""
        return cls(
            drawing=ContextThreads(max_workers=1, thread_name_prefix="drawing"),
            transfers=ContextThreads(max_workers=4, thread_name_prefix="transfer"),
        )


class DrawingError(RuntimeError):
    """The engine has failed in words of its own, which are withheld: they may quote the prompt."""


class InvocationHandler:
    """Serves the invocations of one loaded model."""

    def __init__(
        self,
        *,
        engine: Engine,
        bucket: DataBucket,
        environment: ContainerEnvironment,
        threads: Threads,
        telemetry: Telemetry,
    ) -> None:
        self._engine = engine
        self._bucket = bucket
        self._environment = environment
        self._threads = threads
        self._telemetry = telemetry

    async def handle(self, body: bytes) -> GenerationResult:
        """Draws what the body asks for and keeps the images.

        Args:
            body: JSON of an `InvocationRequest`.

        Raises:
            ProblemError: the request is wrong, an input cannot be used, or memory does not suffice.
            DrawingError: the engine failed in another way.
        """
        with self._telemetry.job() as job:
            generation = self._parse(body, job)
            self._log_arrival(generation)
            return await self._serve(generation, job)

    async def _serve(self, generation: Generation, job: JobTelemetry) -> GenerationResult:
        run = asyncio.get_running_loop().run_in_executor
        drawing, transfers = self._threads.drawing, self._threads.transfers

        input_image = None
        if generation.input_image is not None:
            with job.measure("fetch"):
                input_image = await run(transfers, self._fetch, generation.input_image, generation)

        publisher = ProgressPublisher(self._bucket, generation.id, transfers)
        pictures = await run(drawing, self._draw, generation, input_image, publisher.on_step, job)
        publisher.on_drawn()

        with job.measure("encode"):
            files = await asyncio.gather(*(run(transfers, images.encode_png, each) for each in pictures))
        with job.measure("upload"):
            stored = [
                run(transfers, self._store, generation, index, picture, png)
                for index, (picture, png) in enumerate(zip(pictures, files, strict=True))
            ]
            results = await asyncio.gather(*stored)
        job.finish(images=len(results))
        return GenerationResult(
            id=generation.id,
            model=generation.model,
            images=tuple(results),
            sampler=generation.sampler,
            steps=generation.steps,
            guidance_scale=generation.guidance_scale,
            strength=generation.strength,
            durations_s=job.durations_s,
            versions=dict(self._engine.versions),
        )

    def _parse(self, body: bytes, job: JobTelemetry) -> Generation:
        model = self._environment.model
        try:
            request = InvocationRequest.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequestError(field_errors(error.errors())) from error
        job_id = job.identify(request.id)
        if request.model not in (None, model.name):
            wrong = FieldError(pointer="#/model", detail=f"this endpoint serves {model.name!r} only")
            raise InvalidRequestError((wrong,))
        return Generation.resolve(request, model, job_id=job_id, seed=new_seed())

    def _log_arrival(self, generation: Generation) -> None:
        prompts = generation.model_dump(include={"prompt", "negative_prompt"})
        _LOGGER.info("the job has arrived", extra=prompts if self._environment.log_prompts else None)

    def _draw(
        self, generation: Generation, input_image: Image.Image | None, on_step: OnStep, job: JobTelemetry
    ) -> list[Image.Image]:
        try:
            with job.measure("denoise"):
                return self._engine.generate(generation, input_image, on_step)
        except ProblemError:
            raise
        except Exception as error:
            if self._environment.log_prompts:
                raise
            withheld = DrawingError(
                f"{type(error).__name__}; its message may quote the prompt: LOG_PROMPTS=true shows it"
            )
            raise withheld.with_traceback(error.__traceback__) from None

    def _fetch(self, uri: str, generation: Generation) -> Image.Image:
        """The input image at the size to draw at."""
        data = self._bucket.fetch(uri, field="input_image", max_bytes=self._environment.max_input_image_bytes)
        image = images.decode(data, field="input_image", max_pixels=self._environment.max_input_image_pixels)
        defaults, limits = self._environment.model.defaults, self._environment.model.limits
        size = images.drawing_size(
            image.size,
            width=generation.width,
            height=generation.height,
            area=defaults.width * defaults.height,
            bounds=(limits.min_size, limits.max_size),
        )
        return images.fit(image, size)

    def _store(self, generation: Generation, index: int, picture: Image.Image, png: bytes) -> ImageResult:
        return ImageResult(
            s3_uri=self._bucket.store_image(generation.id, index, png),
            seed=generation.seeds[index],
            width=picture.width,
            height=picture.height,
            sha256=hashlib.sha256(png).hexdigest(),
        )
