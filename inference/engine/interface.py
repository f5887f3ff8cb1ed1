"""The engine's interface: what the invocation handler submits, and what comes back. Imports no torch."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from contract.generation import Generation
from contract.size import Size

OnStep = Callable[[int, int], None]
"""Progress callback: denoiser evaluations done, and evaluations in total."""


class Previews(Protocol):
    """Receives previews of a generation's first image while it is denoised."""

    def claim(self) -> bool:
        """Whether a preview is to be made now, which then counts as made.

        The engine thread asks after every evaluation of the image; must not block.
        """
        ...

    def on_preview(self, image: Image.Image, step: int) -> None:
        """Takes a preview, in the caller's context.

        Args:
            image: RGB, of one pixel for each latent.
            step: denoiser evaluations done.
        """
        ...


@dataclass(frozen=True)
class Callbacks:
    """The callbacks of a generation, each called in the context of the call to `Engine.submit`.

    Attributes:
        on_step: called after the first and the last denoiser evaluation, and between them at most once a
            second.
        on_model_load: called if the generation has to wait for its model to be loaded.
        previews: asked for and given previews, if the model can make them; None makes none.
    """

    on_step: OnStep = lambda _done, _total: None
    on_model_load: Callable[[], None] = lambda: None
    previews: Previews | None = None


UpscaleImage = Callable[[Image.Image, Size], Future[Image.Image]]
"""Upscales an RGB image to a size in pixels, width and height.

Cancelling the future works until it is done, and takes effect before the next tile. It fails with
OutOfMemoryError if the image does not fit in GPU memory. The call raises EngineClosedError if the engine
accepts no more requests.
"""


@dataclass(frozen=True)
class AdapterFile:
    """An adapter on local disk, which is kept there as long as this object is referenced.

    Attributes:
        name: as in requests.
        path: of the file, or of the directory.
        version: changes with the content.
    """

    name: str
    path: Path
    version: str


@dataclass(frozen=True)
class Adapters:
    """The adapters that a generation names, in the order of its fields."""

    loras: tuple[AdapterFile, ...] = ()
    embeddings: tuple[AdapterFile, ...] = ()
    controlnets: tuple[AdapterFile, ...] = ()
    vae: AdapterFile | None = None


@dataclass(frozen=True)
class Inputs:
    """A generation's input images and adapters. All images have the size of the output.

    Attributes:
        image: RGB; None for text-to-image.
        mask: mode L, white where the image is regenerated; None for all of it.
        control_images: RGB, one for each of the generation's ControlNets.
        adapters: the adapters that the generation names.
        chosen: names of the sampling fields that are not the model's defaults; see
            `Generation.chosen_beside`.
    """

    image: Image.Image | None = None
    mask: Image.Image | None = None
    control_images: tuple[Image.Image, ...] = ()
    adapters: Adapters = Adapters()
    chosen: frozenset[str] = frozenset()

    def size(self, generation: Generation) -> Size:
        """The size of the output in pixels, width and height."""
        return self.image.size if self.image else (generation.width or 0, generation.height or 0)


@dataclass(frozen=True, kw_only=True)
class GenerationOutput:
    """The result of a generation.

    Attributes:
        images: RGB, in the order of the generation's seeds.
        batch_size: of the largest batch that these images shared, in images like these, padding included.
        seconds: since the engine started on the generation.
        fallbacks: descriptions of what was done otherwise than requested, such as to fit the memory.
        unused: names of the generation's fields that the model does not use.
    """

    images: tuple[Image.Image, ...]
    batch_size: int
    seconds: float
    fallbacks: tuple[str, ...] = ()
    unused: frozenset[str] = frozenset()


class CompileCache(Protocol):
    """Stores packages of compiled code beyond the life of a container.

    A package is native code: only the containers may be able to write it.
    """

    def read(self, name: str) -> bytes | None:
        """The package with this name, as it was written; None if there is none or it is damaged."""
        ...

    def write(self, name: str, package: bytes) -> None:
        """Adds or replaces a package."""
        ...


class Engine(Protocol):
    """Generates images with one loaded model, or with several by name (`ModelPool`)."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version, kind of kernels to those selected by timing, and the quantization."""
        ...

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        """Queues a generation.

        Args:
            generation: the resolved request.
            inputs: its images and adapters.
            callbacks: report the generation's progress.

        Returns:
            A future of the output, done after the last callback. Cancelling it works until it is done, and
            takes effect before the next step. It fails with OutOfMemoryError if the images do not fit in GPU
            memory, and with ModelUnavailableError if the model could not be loaded.

        Raises:
            EngineClosedError: the engine accepts no more requests.
        """
        ...

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        """Loads an upscaling model, which shares the GPU with the running generations.

        Blocks while the file is read, unless it is cached.

        Args:
            file: a .safetensors or .pth file.
            pointer: JSON pointer to the request's field that names it, for the error.

        Raises:
            ProblemError: the file is damaged, or no model that upscales RGB images.
        """
        ...

    def check(self) -> None:
        """Raises EngineClosedError if the engine accepts no more requests."""
        ...

    def close(self) -> None:
        """Stops accepting requests, and returns when the queued ones are finished."""
        ...
