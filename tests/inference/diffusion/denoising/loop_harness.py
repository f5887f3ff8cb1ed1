"""A denoising loop that a test turns by hand."""

from typing import TYPE_CHECKING, Any

import torch

from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import Adapters, Inputs
from tests.inference.generations import Inline, generation_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 8


class Loop:
    """The loop, and the rows of every forward that it has taken."""

    def __init__(self, pipeline: Any, **batcher: Any) -> None:
        self.components = components = Components.of(pipeline)
        self.loop = DenoisingLoop(components, Batcher(**{"max_batch_size": ROOM} | batcher))
        self.latents: list[bytes] = []
        self._decode = components.autoencoder.decode
        components.autoencoder.decode = self._record  # type: ignore[method-assign]
        self.rows: list[int] = []
        self.on_forward: Callable[[torch.Tensor, torch.Tensor], None] = lambda sample, embeddings: None
        self._hook = pipeline.unet.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _unet: Any, arguments: Any, options: Any) -> None:
        self.rows.append(len(arguments[0]))
        self.on_forward(arguments[0], options["encoder_hidden_states"])

    def _record(self, latents: torch.Tensor, record_fallback: Any) -> Any:
        self.latents.append(latents.numpy().tobytes())
        return self._decode(latents, record_fallback)

    def add_request(
        self,
        inputs: Inputs | None = None,
        on_step: Any = None,
        adapters: Adapters | None = None,
        **request: Any,
    ) -> GenerationTask:
        generation = generation_of(from_image=inputs is not None, **request)
        inputs = inputs or Inputs(adapters=adapters or Adapters())
        task = GenerationTask(generation, inputs, on_step or (lambda *_: None), callback_executor=Inline())
        with torch.inference_mode():
            self.loop.add_request(task)
        return task

    def step(self, times: int = 1) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.loop.step()

    def finish(self, *tasks: GenerationTask) -> list[bytes]:
        """The pixels of the tasks' images, one task after the other."""
        while self.loop.has_unfinished_requests:
            self.step()
        return [image.tobytes() for task in tasks for image in task.future.result(0).images]

    def close(self) -> None:
        self._hook.remove()
