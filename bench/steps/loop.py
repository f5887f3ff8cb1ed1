"""The engine's denoising loop with stand-ins for the parts whose work is not to be measured."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import torch
from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.modules.autoencoder import Autoencoder, DecodedImage
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.diffusion.modules.side_stream import Moment, SideStream
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import Callbacks, Inputs

MAX_BATCH_SIZE = 16


class InstantUNet:
    """In place of a UNet: returns the same prediction for every call with samples of the same shape."""

    def __init__(self) -> None:
        self._predictions: dict[torch.Size, torch.Tensor] = {}

    def __call__(self, sample: torch.Tensor, *_arguments: Any, **_options: Any) -> tuple[torch.Tensor]:
        """The prediction for (rows, 4, height, width)."""
        if sample.shape not in self._predictions:
            with torch.utils._python_dispatch._disable_current_modes():  # noqa: SLF001 - not an operation of the step
                self._predictions[sample.shape] = torch.full_like(sample, 0.1)
        return (self._predictions[sample.shape],)


class TimedUNet:
    """A UNet on the CPU that measures the time of its calls.

    Attributes:
        seconds: of all calls so far.
    """

    def __init__(self, unet: Callable[..., Any]) -> None:
        self._unet = unet
        self.seconds = 0.0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls the UNet."""
        started_at = time.perf_counter()
        result = self._unet(*arguments, **options)
        self.seconds += time.perf_counter() - started_at
        return result


class _NoImage(DecodedImage):
    """In place of a decoded image."""

    def finish(self, record_fallback: Any) -> Callable[[], Image.Image]:
        """See `DecodedImage.finish`."""
        del record_fallback
        return lambda: Image.new("RGB", (8, 8))


class _WithoutDecoder(Autoencoder):
    """Decodes nothing."""

    def decode(self, latents: torch.Tensor, record_fallback: Any, stream: SideStream) -> DecodedImage:
        """See `Autoencoder.decode`."""
        del record_fallback, stream
        return _NoImage(self, latents, latents, latents, latents, Moment(None))


class StepLoop:
    """A denoising loop whose steps are run one by one."""

    def __init__(self, pipeline: Any, denoiser: Callable[..., Any], *, scheduler_device: str | None = None):
        """Takes the model's parts.

        Args:
            pipeline: a Stable Diffusion pipeline.
            denoiser: in place of its UNet.
            scheduler_device: the type of the device whose arithmetic the schedulers' steps are traced for;
                None: the pipeline's.
        """
        components = Components.of(pipeline)
        schedulers = NoiseSchedulers(
            pipeline.scheduler.config,
            dtype=pipeline.unet.dtype,
            device_type=scheduler_device or pipeline.device.type,
        )
        self._components = replace(components, autoencoder=_WithoutDecoder(pipeline), schedulers=schedulers)
        self._denoiser = denoiser
        self._callbacks = ThreadPoolExecutor(1)
        self._model = ModelDeclaration(name="bench")

    def close(self) -> None:
        """Ends the thread of the callbacks."""
        self._callbacks.shutdown()

    def run(
        self,
        samplers: Sequence[str],
        *,
        steps: int,
        size: int,
        around_step: Callable[[Callable[[], None]], None],
    ) -> None:
        """Generates one image with each of the samplers, in one batch.

        Args:
            samplers: canonical names, one for each image.
            steps: of each image.
            size: width and height in pixels.
            around_step: is called for each step, with a function that runs it.
        """
        batcher = Batcher(max_batch_size=MAX_BATCH_SIZE)
        loop = DenoisingLoop(self._components, batcher, denoiser=self._denoiser)
        with torch.inference_mode():
            for index, sampler in enumerate(samplers):
                loop.add_request(self._task(sampler, seed=index, steps=steps, size=size))
            while loop.has_unfinished_requests:
                around_step(loop.step)

    def _task(self, sampler: str, *, seed: int, steps: int, size: int) -> GenerationTask:
        request = JobRequest(
            prompt="a red circle", seed=seed, sampler=sampler, steps=steps, width=size, height=size
        )
        generation = Generation.resolve(request, self._model, job_id=new_job_id(), seed=0)
        return GenerationTask(generation, Inputs(), Callbacks(), callback_executor=self._callbacks)
