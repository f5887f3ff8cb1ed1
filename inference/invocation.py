"""One invocation from its body to its result document: fetch, denoise, encode, upload."""

import asyncio
import hashlib
import logging
from concurrent.futures import Executor

from PIL import Image
from pydantic import ValidationError

from inference import images
from inference.contract.environment import ContainerEnvironment
from inference.contract.generation import Generation, InvalidRequestError, new_seed
from inference.contract.problem import FieldError, ProblemError
from inference.contract.request import InvocationRequest
from inference.contract.result import GenerationResult, ImageResult
from inference.contract.validation import field_errors
from inference.engine import Drawing, Engine, Inputs, OnStep
from inference.input.preparation import Preparation, Prepared, pictures_of
from inference.input.sources import PictureSources
from inference.input.web import PublicWeb
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
        environment: ContainerEnvironment,
        transfers: Executor,
        telemetry: Telemetry,
        web: PublicWeb | None = None,
    ) -> None:
        """Takes what it works with.

        Args:
            engine: the model.
            bucket: where images come from and go to.
            environment: what the container is told.
            transfers: threads for fetching, encoding and storing, beside the drawing.
            telemetry: where jobs are told of.
            web: where pictures may come from besides; None is the public one.
        """
        self._engine = engine
        self._bucket = bucket
        self._environment = environment
        self._transfers = transfers
        self._telemetry = telemetry
        sources = PictureSources(bucket, web or PublicWeb(), max_bytes=environment.max_input_image_bytes)
        self._preparation = Preparation(sources=sources, environment=environment, transfers=transfers)

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

        prepared = Prepared()
        if pictures_of(generation):
            with job.measure("fetch"):
                prepared = await self._preparation.prepare(generation)

        publisher = ProgressPublisher(self._bucket, generation.id, transfers)
        drawing = await self._draw(generation, prepared.inputs, publisher.on_step)
        job.took("denoise", drawing.seconds)
        publisher.on_drawn()

        with job.measure("encode"):
            pictures = await asyncio.gather(
                *(run(transfers, prepared.finish, each) for each in drawing.images)
            )
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

    def _store(self, generation: Generation, index: int, picture: Image.Image, png: bytes) -> ImageResult:
        return ImageResult(
            s3_uri=self._bucket.store_image(generation.id, index, png, generation.output_format),
            seed=generation.seeds[index],
            width=picture.width,
            height=picture.height,
            sha256=hashlib.sha256(png).hexdigest(),
        )
