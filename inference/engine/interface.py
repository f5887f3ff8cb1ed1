"""What the server asks of an engine."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from contract.generation import Generation
from contract.size import Size

OnStep = Callable[[int, int], None]
"""Called with the denoiser evaluations done and the evaluations in all."""

Enlarge = Callable[[Image.Image, Size], Future[Image.Image]]
"""Makes an RGB picture one of this size.

Cancelling works until it is done, and frees the device before the next tile. It fails with OutOfMemoryError
where the accelerator's memory does not suffice, and raises EngineClosedError where the engine takes nothing
more.
"""


@dataclass(frozen=True)
class AdapterFile:
    """An adapter on this machine: it stays there for as long as this object is held.

    Attributes:
        name: as requests call it.
        path: of its file, or of its directory.
        version: differs where the content does.
    """

    name: str
    path: Path
    version: str


@dataclass(frozen=True)
class Adapters:
    """What a generation names beside the model, in the order of its fields."""

    loras: tuple[AdapterFile, ...] = ()
    embeddings: tuple[AdapterFile, ...] = ()
    controlnets: tuple[AdapterFile, ...] = ()
    vae: AdapterFile | None = None


@dataclass(frozen=True)
class Inputs:
    """What a generation starts from. All pictures are of the size to draw at.

    Attributes:
        image: RGB; None draws from noise alone.
        mask: L, white where the image is to be drawn anew; None draws all of it anew.
        controls: RGB, one for each of the generation's ControlNets.
        adapters: the files of the adapters that the generation names.
    """

    image: Image.Image | None = None
    mask: Image.Image | None = None
    controls: tuple[Image.Image, ...] = ()
    adapters: Adapters = Adapters()

    def size(self, generation: Generation) -> Size:
        """The size to draw the generation at."""
        return self.image.size if self.image else (generation.width or 0, generation.height or 0)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What an engine has drawn.

    Attributes:
        images: RGB, in the order of the generation's seeds.
        bucket: the largest number of images that shared a forward with these, padding included.
        seconds: from when the device took the generation up.
        concessions: what was done to make the images fit the memory, or to draw them at all, in words.
    """

    images: tuple[Image.Image, ...]
    bucket: int
    seconds: float
    concessions: tuple[str, ...] = ()


class CompiledCode(Protocol):
    """Where compiled code outlives the container that has made it."""

    def read(self, machine: str) -> bytes | None:
        """What an earlier container has made on such a machine, if there is any."""
        ...

    def keep(self, machine: str, artifacts: bytes) -> None:
        """Keeps what has been made, in place of what was there."""
        ...


class Engine(Protocol):
    """What draws: a loaded model, or several by the names that generations give (`ModelPool`)."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version."""
        ...

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[Drawing]:
        """Draws a generation, beside others where it can.

        Args:
            generation: what to draw.
            inputs: what to start from.
            on_step: hears of every denoiser evaluation, in the caller's context, before the future is done.

        Returns:
            The drawing. Cancelling it works until it is done and frees the device before the next step.
            It fails with OutOfMemoryError where the accelerator's memory does not suffice, and with
            ModelUnavailableError where the model could not be loaded.

        Raises:
            EngineClosedError: the engine takes nothing more.
        """
        ...

    def upscaler(self, file: AdapterFile, *, pointer: str) -> Enlarge:
        """What enlarges with the model in a file; what it is given shares the device with what is drawn.

        The file is read here, unless it was lately: that takes time.

        Args:
            file: the model's, a .safetensors or .pth.
            pointer: to the request's field that names it, for the error.

        Raises:
            ProblemError: the file is damaged, or no model that enlarges RGB pictures.
        """
        ...

    def check(self) -> None:
        """Raises EngineClosedError if the engine takes nothing more."""
        ...

    def close(self) -> None:
        """Takes nothing more, and returns when what it has taken is drawn."""
        ...
