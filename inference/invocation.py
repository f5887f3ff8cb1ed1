"""One invocation from its body to its result document: fetch, denoise, encode, upload."""

import asyncio
import hashlib
import logging
from concurrent.futures import Executor

from PIL import Image
from pydantic import ValidationError

from inference import images
from inference.adapters import AdapterStore
from inference.contract.environment import ContainerEnvironment
from inference.contract.generation import Generation, InvalidRequestError, new_seed
from inference.contract.problem import FieldError, ProblemError
from inference.contract.request import InvocationRequest
from inference.contract.result import GenerationResult, ImageResult
from inference.contract.validation import field_errors
from inference.engine import Drawing, Engine, Inputs, OnStep
from inference.progress import ProgressPublisher
from inference.storage import DataBucket
from inference.telemetry import JobTelemetry, Telemetry

_LOGGER = logging.getLogger(__name__)


class DrawingError(RuntimeError):
    """The engine has failed in words of its own, which are withheld: they may quote the prompt."""


class InvocationHandler:
    """Serves the invocations of one loaded model, several at once."""

    def __init__(
        self,
        *,
        engine: Engine,
        bucket: DataBucket,
        adapters: AdapterStore,
        environment: ContainerEnvironment,
        transfers: Executor,
        telemetry: Telemetry,
    ) -> None:
        """Takes what it works with.

        Args:
            engine: the model.
            bucket: where images come from and go to.
            adapters: where LoRAs and their like come from.
            environment: what the container is told.
            transfers: threads for fetching, encoding and storing, beside the drawing.
            telemetry: where jobs are told of.
        """
        self._engine = engine
        self._bucket = bucket
        self._adapters = adapters
        self._environment = environment
        self._transfers = transfers
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

    def check(self) -> None:
        """Raises EngineClosedError if the engine takes nothing more."""
        self._engine.check()

    def close(self) -> None:
        """Lets the engine finish what it has taken, and takes no more."""
        self._engine.close()

    async def _serve(self, generation: Generation, job: JobTelemetry) -> GenerationResult:
        run, transfers = asyncio.get_running_loop().run_in_executor, self._transfers

        input_image = None
        if generation.input_image is not None:
            with job.measure("fetch"):
                input_image = await run(transfers, self._fetch, generation.input_image, generation)

        adapters = await run(transfers, self._adapters.fetch, generation)

        publisher = ProgressPublisher(self._bucket, generation.id, transfers)
        inputs = Inputs(image=input_image, adapters=adapters)
        drawing = await self._draw(generation, inputs, publisher.on_step)
        job.took("denoise", drawing.seconds)
        publisher.on_drawn()

        with job.measure("encode"):
            files = await asyncio.gather(
                *(run(transfers, images.encode_png, each) for each in drawing.images)
            )
        with job.measure("upload"):
            stored = [
                run(transfers, self._store, generation, index, picture, png)
                for index, (picture, png) in enumerate(zip(drawing.images, files, strict=True))
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
            bucket=drawing.bucket,
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

    async def _draw(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Drawing:
        try:
            return await asyncio.wrap_future(self._engine.submit(generation, inputs, on_step))
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
            s3_uri=self._bucket.store_image(generation.id, index, png, generation.output_format),
            seed=generation.seeds[index],
            width=picture.width,
            height=picture.height,
            sha256=hashlib.sha256(png).hexdigest(),
        )
