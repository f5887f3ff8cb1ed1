"""One invocation from its body to its result document: fetch, denoise, encode, upload."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from pydantic import ValidationError

from contract.environment import ContainerEnvironment
from contract.generation import Generation, InvalidRequestError, new_seed
from contract.model import ModelDeclaration
from contract.problem import FieldError
from contract.request import InvocationRequest
from contract.result import GenerationResult, ImageResult
from contract.validation import field_errors
from inference.data_bucket import DataBucket
from inference.engine.interface import Engine
from inference.invocation.cancellation import CancellationWatch
from inference.invocation.generator import ImageGenerator
from inference.invocation.progress import ProgressPublisher
from inference.invocation.running_jobs import RunningJobs
from inference.observability.metrics import ContainerMetrics, JobMetrics
from inference.output.postprocessing import FinishedImage, Postprocessor
from inference.output.provenance import MadeWith

_LOGGER = logging.getLogger(__name__)


class InvocationHandler:
    """Serves the invocations of an endpoint's models, several at once."""

    def __init__(
        self,
        *,
        engine: Engine,
        studio: ImageGenerator,
        finisher: Postprocessor,
        bucket: DataBucket,
        environment: ContainerEnvironment,
        transfers: Executor,
        telemetry: ContainerMetrics,
        running: RunningJobs,
        revision_of: Callable[[str], str | None],
    ) -> None:
        """Takes what it works with.

        Args:
            engine: what draws with every model that the environment names.
            studio: makes pictures with the engine.
            finisher: makes files of the pictures.
            bucket: where images go.
            environment: what the container is told.
            transfers: threads for encoding and storing, beside the drawing.
            telemetry: where jobs are told of.
            running: what admits jobs, and ends them before their time.
            revision_of: tells which weights a model's are; see `GenerationResult.revision`.
        """
        self._engine = engine
        self._image_generator = studio
        self._finisher = finisher
        self._bucket = bucket
        self._environment = environment
        self._transfers = transfers
        self._telemetry = telemetry
        self._running = running
        self._revision_of = revision_of
        self._cancellations = CancellationWatch(bucket)

    async def handle(self, body: bytes) -> GenerationResult:
        """Draws what the body asks for and keeps the images.

        Args:
            body: JSON of an `InvocationRequest`.

        Raises:
            ProblemError: the request is wrong, an input cannot be used, memory does not suffice, or the job
                has been canceled, or cut short by the container's end.
            GenerationError: the engine failed in another way.
        """
        with self._telemetry.job() as job, self._running.job():
            generation = self._parse(body, job)
            self._log_arrival(generation)
            async with ProgressPublisher(self._bucket, generation.id, self._transfers) as progress:
                return await self._serve(generation, job, progress)

    def check(self) -> None:
        """Raises EngineClosedError if no more jobs are taken."""
        self._running.check()
        self._engine.check()

    def close(self) -> None:
        """Lets the engine finish what it has taken, and takes no more."""
        self._engine.close()

    async def _serve(
        self, generation: Generation, job: JobMetrics, progress: ProgressPublisher
    ) -> GenerationResult:
        run, transfers = asyncio.get_running_loop().run_in_executor, self._transfers

        async with (
            self._running.interruptible() as interruption,
            self._cancellations.over(generation.id, interruption),
        ):
            drawing = await self._image_generator.draw(generation, job, progress.on_step)
        job.took("denoise", drawing.seconds)
        progress.on_drawn()

        revision, versions = self._revision_of(generation.model), dict(self._engine.versions)
        made_with = MadeWith(revision=revision, versions=versions)
        with job.measure("encode"):
            finished = await asyncio.gather(
                *(
                    run(transfers, self._finisher.finish, picture, generation, index, made_with)
                    for index, picture in enumerate(drawing.images)
                )
            )
        with job.measure("upload"):
            stored = [
                run(transfers, self._store, generation, index, image) for index, image in enumerate(finished)
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
            batch_size=drawing.batch_size,
            revision=revision,
            fallbacks=drawing.fallbacks,
            safety=self._finisher.safety,
            durations_s=job.durations_s,
            versions=versions,
        )

    def _parse(self, body: bytes, job: JobMetrics) -> Generation:
        try:
            request = InvocationRequest.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequestError(field_errors(error.errors())) from error
        job_id = job.identify(request.id)
        model = self._find_model(request.model)
        job.model = model.name
        return Generation.resolve(request, model, job_id=job_id, seed=new_seed())

    def _find_model(self, name: str | None) -> ModelDeclaration:
        """The served model of this name; None gives the one that the endpoint is named after."""
        served = self._environment.served
        if name is not None and name not in served:
            detail = f"this endpoint serves {', '.join(served)} only"
            raise InvalidRequestError((FieldError(pointer="#/model", detail=detail),))
        return served[name or self._environment.model.name]

    def _log_arrival(self, generation: Generation) -> None:
        prompts = generation.model_dump(include={"prompt", "negative_prompt"})
        _LOGGER.info("the job has arrived", extra=prompts if self._environment.log_prompts else None)

    def _store(self, generation: Generation, index: int, image: FinishedImage) -> ImageResult:
        return ImageResult(
            s3_uri=(
                None
                if image.file is None
                else self._bucket.store_image(generation.id, index, image.file, generation.output_format)
            ),
            seed=generation.seeds[index],
            width=image.width,
            height=image.height,
            sha256=image.sha256,
            flags=image.flags,
        )
