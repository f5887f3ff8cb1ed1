"""One invocation from its body to its result document: decode, generate, encode, store."""

import asyncio
import hashlib
import logging
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image
from pydantic import ValidationError

from inference import images
from inference.contract.environment import ContainerEnvironment
from inference.contract.generation import Generation, InvalidRequestError, new_seed
from inference.contract.identifiers import new_job_id
from inference.contract.problem import FieldError
from inference.contract.request import InvocationRequest
from inference.contract.result import GenerationResult, ImageResult
from inference.contract.validation import field_errors
from inference.engine import Engine
from inference.progress import ProgressPublisher
from inference.storage import DataBucket

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
            drawing=ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing"),
            transfers=ThreadPoolExecutor(max_workers=4, thread_name_prefix="transfer"),
        )


class InvocationHandler:
    """Serves the invocations of one loaded model."""

    def __init__(
        self, *, engine: Engine, bucket: DataBucket, environment: ContainerEnvironment, threads: Threads
    ) -> None:
        self._engine = engine
        self._bucket = bucket
        self._environment = environment
        self._threads = threads

    async def handle(self, body: bytes) -> GenerationResult:
        """Draws what the body asks for and keeps the images.

        Args:
            body: JSON of an `InvocationRequest`.

        Raises:
            ProblemError: the request is wrong, an input cannot be used, or memory does not suffice.
        """
        loop = asyncio.get_running_loop()
        generation = self._parse(body)
        clock = _StageClock()

        input_image = None
        if generation.input_image is not None:
            input_image = await loop.run_in_executor(
                self._threads.transfers, self._fetch, generation.input_image, generation
            )
        clock.lap("fetch")

        publisher = ProgressPublisher(self._bucket, generation.id, self._threads.transfers)
        pictures = await loop.run_in_executor(
            self._threads.drawing, self._engine.generate, generation, input_image, publisher.on_step
        )
        publisher.on_drawn()
        clock.lap("generate")

        stored = [
            loop.run_in_executor(self._threads.transfers, self._store, generation, index, picture)
            for index, picture in enumerate(pictures)
        ]
        results = await asyncio.gather(*stored)
        clock.lap("store")
        _LOGGER.info("job %s: %d image(s), %s", generation.id, len(results), clock.durations_s)
        return GenerationResult(
            id=generation.id,
            model=generation.model,
            images=tuple(results),
            sampler=generation.sampler,
            steps=generation.steps,
            guidance_scale=generation.guidance_scale,
            strength=generation.strength,
            durations_s=clock.durations_s,
            versions=dict(self._engine.versions),
        )

    def _parse(self, body: bytes) -> Generation:
        model = self._environment.model
        try:
            request = InvocationRequest.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequestError(field_errors(error.errors())) from error
        if request.model not in (None, model.name):
            wrong = FieldError(pointer="#/model", detail=f"this endpoint serves {model.name!r} only")
            raise InvalidRequestError((wrong,))
        return Generation.resolve(request, model, job_id=request.id or new_job_id(), seed=new_seed())

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

    def _store(self, generation: Generation, index: int, picture: Image.Image) -> ImageResult:
        png = images.encode_png(picture)
        return ImageResult(
            s3_uri=self._bucket.store_image(generation.id, index, png),
            seed=generation.seeds[index],
            width=picture.width,
            height=picture.height,
            sha256=hashlib.sha256(png).hexdigest(),
        )


class _StageClock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.durations_s: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.durations_s[stage] = round(now - self._last, 3)
        self._last = now
