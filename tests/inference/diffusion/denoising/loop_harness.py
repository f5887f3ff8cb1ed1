"""A harness that steps the denoising loop in the test's own thread."""

from typing import TYPE_CHECKING, Any

import torch

from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import Adapters, Callbacks, Inputs
from tests.inference.generations import NO_CALLBACKS, InlineExecutor, generation_of

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BATCH_SIZE = 8


class LoopHarness:
    """A denoising loop whose forward passes and decoded latents are recorded.

    Attributes:
        samples: the number of samples of each UNet forward pass.
        latents: the bytes of each image's final latents.
        before_forward: called with sample and prompt embeddings before each UNet forward pass.
    """

    def __init__(self, pipeline: Any, **batcher: Any) -> None:
        self.components = components = Components.of(pipeline)
        self.loop = DenoisingLoop(components, Batcher(**{"max_batch_size": MAX_BATCH_SIZE} | batcher))
        self.latents: list[bytes] = []
        self._decode = components.autoencoder.decode
        components.autoencoder.decode = self._record_latents  # type: ignore[method-assign]
        self.samples: list[int] = []
        self.before_forward: Callable[[torch.Tensor, torch.Tensor], None] = lambda sample, embeddings: None
        self._hook = pipeline.unet.register_forward_pre_hook(self._record_forward, with_kwargs=True)

    def _record_forward(self, _unet: Any, arguments: Any, options: Any) -> None:
        self.samples.append(len(arguments[0]))
        self.before_forward(arguments[0], options["encoder_hidden_states"])

    def _record_latents(self, latents: torch.Tensor, *arguments: Any) -> Any:
        self.latents.append(latents.numpy().tobytes())
        return self._decode(latents, *arguments)

    def add_request(
        self,
        inputs: Inputs | None = None,
        callbacks: Callbacks = NO_CALLBACKS,
        adapters: Adapters | None = None,
        **request: Any,
    ) -> GenerationTask:
        generation = generation_of(from_image=inputs is not None, **request)
        inputs = inputs or Inputs(adapters=adapters or Adapters())
        task = GenerationTask(generation, inputs, callbacks, callback_executor=InlineExecutor())
        with torch.inference_mode():
            self.loop.add_request(task)
        return task

    def step(self, times: int = 1) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.loop.step()

    def finish(self, *tasks: GenerationTask) -> list[bytes]:
        """Steps until no requests are left; returns the pixels of these tasks' images, task by task."""
        while self.loop.has_unfinished_requests:
            self.step()
        return [image.tobytes() for task in tasks for image in task.future.result(0).images]

    def close(self) -> None:
        self._hook.remove()
