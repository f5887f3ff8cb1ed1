"""What the server asks of whatever draws."""

from collections.abc import Callable, Mapping
from typing import Protocol

from PIL import Image

from inference.contract.generation import Generation
from inference.contract.problem import ErrorCode, ProblemError

OnStep = Callable[[int, int], None]
"""Called with the denoiser evaluations done and the evaluations in all."""


class OutOfMemoryError(ProblemError):
    """The accelerator's memory does not hold the generation."""

    code = ErrorCode.OUT_OF_MEMORY


class Engine(Protocol):
    """A loaded model.

    `generate` is called from one thread at a time.
    """

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version."""
        ...

    def generate(
        self, generation: Generation, input_image: Image.Image | None, on_step: OnStep
    ) -> list[Image.Image]:
        """The generation's images, RGB, in the order of its seeds.

        Args:
            generation: what to draw.
            input_image: RGB, of the size to draw at; None draws from noise alone.
            on_step: hears of every denoiser evaluation, on the calling thread.

        Raises:
            OutOfMemoryError: the accelerator's memory does not suffice.
        """
        ...
