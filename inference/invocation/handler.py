"""The invocation handler: parses a request, generates its images, encodes and stores them."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from contract.environment import ContainerEnvironment
from contract.generation import Generation, InvalidRequestError, new_seed
from contract.identifiers import InvocationId, S3Location
from contract.model import ModelDeclaration
from contract.output_location import check_output, output_locations
from contract.problem import FieldError
from contract.request import InvocationRequest
from contract.result import GenerationResult, ImageResult
from contract.validation import parse_request
from inference.data_bucket import DataBucket
from inference.engine.interface import Callbacks, Engine
from inference.invocation.cancellation import CancellationWatch
from inference.invocation.executors import Executors
from inference.invocation.generator import GeneratedImages, ImageGenerator
from inference.invocation.previews import PreviewPublisher
from inference.invocation.progress import ProgressPublisher
from inference.invocation.running_jobs import RunningJobs
from inference.invocation.time_limit import time_limit
from inference.observability.metrics import ContainerMetrics, JobMetrics
from inference.output.image_metadata import Provenance
from inference.output.postprocessing import FinishedImage, Postprocessor

_LOGGER = logging.getLogger(__name__)
_NO_PREVIEWS = "no previews: this stage's NSFW filter checks every image before it is shown"


class InvocationHandler:
    """Handles the invocations of an endpoint, several at once."""

    def __init__(
        self,
        *,
        engine: Engine,
        generator: ImageGenerator,
        postprocessor: Postprocessor,
        bucket: DataBucket,
        environment: ContainerEnvironment,
        executors: Executors,
        metrics: ContainerMetrics,
        running_jobs: RunningJobs,
        revision_of: Callable[[str], str | None],
    ) -> None:
        """Creates the handler.

        Args:
            engine: serves every model of the environment.
            generator: generates images with the engine.
            postprocessor: checks, marks and encodes images.
            bucket: stores images and progress.
            environment: the container's settings.
            executors: run blocking work outside the engine.
            metrics: receives the metrics of each job.
            running_jobs: admits jobs, and cancels them at shutdown.
            revision_of: the revision of a model's weights; see `GenerationResult.revision`.
        """
        self._engine = engine
        self._generator = generator
        self._postprocessor = postprocessor
        self._bucket = bucket
        self._environment = environment
        self._executors = executors
        self._metrics = metrics
        self._running_jobs = running_jobs
        self._revision_of = revision_of
        self._cancellations = CancellationWatch(bucket)

    async def handle(self, body: bytes) -> GenerationResult:
        """Generates the images of a request and stores them.

        Args:
            body: JSON of an `InvocationRequest`.

        Raises:
            ProblemError: the request is invalid, an input cannot be used, the images do not fit in memory,
                the client canceled the job, or the time was up or the container shut down before the images
                were generated.
            GenerationError: the engine failed in another way.
        """
        with self._metrics.job() as job, self._running_jobs.admit():
            generation = self._start(body, job)
            async with ProgressPublisher(self._bucket, generation.id, self._executors.reports) as progress:
                generated = await self._generate(generation, job, progress)
                async with self._running_jobs.storing_scope():
                    return await self._finish(generation, generated, job)

    def check(self) -> None:
        """Raises EngineClosedError if no more jobs are admitted."""
        self._running_jobs.check()
        self._engine.check()

    def close(self) -> None:
        """Closes the engine; returns when its queued requests are finished."""
        self._engine.close()

    async def _generate(
        self, generation: Generation, job: JobMetrics, progress: ProgressPublisher
    ) -> GeneratedImages:
        """Generates the images; meanwhile the client, a shutdown or the time limit may end the job."""
        async with (
            self._running_jobs.cancel_scope() as scope,
            self._cancellations.watch(generation.id, scope),
        ):
            with time_limit(scope, self._environment.invocation_timeout_s):
                generated = await self._generator.generate(
                    generation,
                    job,
                    self._callbacks(generation, progress),
                    chosen=generation.chosen_beside(self._find_model(generation.model).defaults),
                )
        job.record("denoise", generated.output.seconds)
        progress.on_generated()
        return generated

    async def _finish(
        self, generation: Generation, generated: GeneratedImages, job: JobMetrics
    ) -> GenerationResult:
        """Encodes and stores the images."""
        run, output = asyncio.get_running_loop().run_in_executor, generated.output
        provenance = Provenance(
            revision=self._revision_of(generation.model),
            versions=dict(self._engine.versions),
            input_digests=generated.input_digests,
            unused=output.unused,
        )
        with job.measure("encode"):
            finished = await asyncio.gather(
                *(
                    run(
                        self._executors.outputs,
                        self._postprocessor.finish,
                        image,
                        generation,
                        index,
                        provenance,
                    )
                    for index, image in enumerate(output.images)
                )
            )
        with job.measure("upload"):
            results = await self._store_all(generation, finished)
        job.finish(images=len(results))
        return GenerationResult(
            id=generation.id,
            model=generation.model,
            images=tuple(results),
            sampler=generation.sampler,
            steps=generation.steps,
            guidance_scale=generation.guidance_scale,
            strength=generation.strength,
            batch_size=output.batch_size,
            revision=provenance.revision,
            fallbacks=output.fallbacks + self._omitted(generation),
            safety=self._postprocessor.safety,
            durations_s=job.durations_s,
            versions=dict(provenance.versions),
        )

    def _start(self, body: bytes, job: JobMetrics) -> Generation:
        """Parses the request and, if it has a job id, has the start of the invocation reported."""
        request = parse_request(InvocationRequest, body, self._find_model)
        job_id = job.assign_id(request.id)
        model = self._find_model(request.model)
        job.model = model.name
        error = check_output(request.output_s3_uri, self._environment.output_prefixes)
        if error is not None:
            raise InvalidRequestError((error,))
        generation = Generation.resolve(request, model, job_id=job_id, seed=new_seed())
        if request.id is not None:
            invocation = InvocationId(request.id, request.attempt)
            self._executors.reports.submit(self._bucket.store_start, invocation)
        self._log_start(generation)
        return generation

    def _callbacks(self, generation: Generation, progress: ProgressPublisher) -> Callbacks:
        previews = None
        if generation.preview and self._postprocessor.allows_previews:
            previews = PreviewPublisher(
                self._bucket,
                generation.id,
                self._executors.reports,
                encode=self._postprocessor.preview,
                on_stored=progress.on_preview_stored,
            )
        return Callbacks(progress.on_step, progress.on_model_load, previews)

    def _omitted(self, generation: Generation) -> tuple[str, ...]:
        """Descriptions of what the request asks for and the stage does not do."""
        return (_NO_PREVIEWS,) if generation.preview and not self._postprocessor.allows_previews else ()

    def _find_model(self, name: str | None) -> ModelDeclaration:
        """The served model of this name; None means the endpoint's own model."""
        served = self._environment.served
        if name is not None and name not in served:
            detail = f"this endpoint serves only {', '.join(served)}"
            raise InvalidRequestError((FieldError(pointer="#/model", detail=detail),))
        return served[name or self._environment.model.name]

    def _log_start(self, generation: Generation) -> None:
        prompts = generation.model_dump(include={"prompt", "negative_prompt"})
        _LOGGER.info("job started", extra=prompts if self._environment.log_prompts else None)

    async def _store_all(self, generation: Generation, images: Sequence[FinishedImage]) -> list[ImageResult]:
        """Stores all images or none: if one cannot be stored, the others are deleted."""
        run = asyncio.get_running_loop().run_in_executor
        storing = [
            run(self._executors.outputs, self._store, generation, index, image, location)
            for index, (image, location) in enumerate(
                zip(images, output_locations(generation, self._bucket.name), strict=True)
            )
        ]
        outcomes = await asyncio.gather(*storing, return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if not errors:
            return [outcome for outcome in outcomes if isinstance(outcome, ImageResult)]
        stored = [outcome.s3_uri for outcome in outcomes if isinstance(outcome, ImageResult)]
        await run(
            self._executors.outputs, self._bucket.delete_images, [uri for uri in stored if uri is not None]
        )
        raise errors[0]

    def _store(
        self, generation: Generation, index: int, image: FinishedImage, location: S3Location
    ) -> ImageResult:
        if image.file is not None:
            self._bucket.store_image(location, image.file, generation.output_format.media_type)
        return ImageResult(
            s3_uri=None if image.file is None else location.uri,
            seed=generation.seeds[index],
            width=image.width,
            height=image.height,
            sha256=image.sha256,
            flags=image.flags,
        )
