"""A denoising loop that a test turns by hand."""

from typing import TYPE_CHECKING, Any

import torch

from inference.diffusion.denoising.batcher import Turns
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.tasks.generation_task import Ticket
from inference.engine.interface import Adapters, Inputs
from tests.inference.generations import Inline, generation_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 8


class Loop:
    """The loop, and the rows of every forward that it has taken."""

    def __init__(self, pipeline: Any, **turns: Any) -> None:
        self.components = components = Components.of(pipeline)
        self.loop = DenoisingLoop(components, Turns(**{"max_bucket": ROOM} | turns))
        self.latents: list[bytes] = []
        self._decode = components.autoencoder.decode
        components.autoencoder.decode = self._record  # type: ignore[method-assign]
        self.rows: list[int] = []
        self.on_forward: Callable[[torch.Tensor, torch.Tensor], None] = lambda sample, embeddings: None
        self._hook = pipeline.unet.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _unet: Any, arguments: Any, options: Any) -> None:
        self.rows.append(len(arguments[0]))
        self.on_forward(arguments[0], options["encoder_hidden_states"])

    def _record(self, latents: torch.Tensor, concede: Any) -> Any:
        self.latents.append(latents.numpy().tobytes())
        return self._decode(latents, concede)

    def admit(
        self,
        inputs: Inputs | None = None,
        on_step: Any = None,
        adapters: Adapters | None = None,
        **request: Any,
    ) -> Ticket:
        generation = generation_of(from_image=inputs is not None, **request)
        inputs = inputs or Inputs(adapters=adapters or Adapters())
        ticket = Ticket(generation, inputs, on_step or (lambda *_: None), messenger=Inline())
        with torch.inference_mode():
            self.loop.admit(ticket)
        return ticket

    def turn(self, times: int = 1) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.loop.turn()

    def finish(self, *tickets: Ticket) -> list[bytes]:
        """The pixels of the tickets' images, one ticket after the other."""
        while self.loop.busy:
            self.turn()
        return [image.tobytes() for ticket in tickets for image in ticket.future.result(0).images]

    def close(self) -> None:
        self._hook.remove()
