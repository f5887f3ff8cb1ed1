"""From the pictures that a generation names to what an engine starts from, and back onto what it draws."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.options import ControlNet
from contract.request import control_pointer, named_images
from contract.size import GRID, Size
from inference.engine.interface import Inputs
from inference.input.canny import find_edges
from inference.input.compositing import Kept, feather
from inference.input.decoding import decode, on_white
from inference.input.image_sources import ImageSources
from inference.input.mask import check_shape, frame_mask, whole_latents
from inference.input.outpainting import added, extend, place
from inference.input.resizing import Framing, generation_size


@dataclass(frozen=True)
class PreprocessedInputs:
    """What an engine starts from, and what is done to what it has drawn.

    Attributes:
        inputs: without adapters.
        kept: what is put back onto each image; None leaves them as drawn.
    """

    inputs: Inputs = field(default_factory=Inputs)
    kept: Kept | None = None

    def finish(self, drawn: Image.Image) -> Image.Image:
        """An image as the client gets it."""
        return drawn if self.kept is None else self.kept.put_back(drawn)


class InputPreprocessor:
    """Fetches and arranges the pictures of generations, on threads for transfers."""

    def __init__(
        self, *, sources: ImageSources, environment: ContainerEnvironment, transfers: Executor
    ) -> None:
        self._sources = sources
        self._models = environment.served
        self._max_pixels = environment.max_input_image_pixels
        self._transfers = transfers

    async def prepare(self, generation: Generation) -> PreprocessedInputs:
        """What the generation starts from; its pictures are fetched side by side.

        Raises:
            InputError: one of them cannot be used.
        """
        run = asyncio.get_running_loop().run_in_executor
        named = named_images(generation)
        opened = await asyncio.gather(
            *(run(self._transfers, self._open, uri, pointer) for pointer, uri in named.items())
        )
        pictures = dict(zip(named, opened, strict=True))
        return await run(self._transfers, arrange, generation, pictures, self._models[generation.model])

    def _open(self, uri: str, pointer: str) -> Image.Image:
        return decode(self._sources.fetch(uri, pointer), pointer=pointer, max_pixels=self._max_pixels)


def arrange(
    generation: Generation, pictures: Mapping[str, Image.Image], model: ModelDeclaration
) -> PreprocessedInputs:
    """What the generation starts from.

    Args:
        generation: what is to be drawn.
        pictures: as decoded, by the JSON pointers of `named_images`.
        model: whose sizes are kept to.

    Raises:
        InputError: they do not go together, or not with the model.
    """
    image, mask = _canvas(generation, pictures, model)
    size = Inputs(image).size(generation)
    controls = tuple(
        _guide(each, pictures[control_pointer(index)], size)
        for index, each in enumerate(generation.controlnets)
    )
    if image is None or mask is None:
        return PreprocessedInputs(Inputs(image=image, control_images=controls))
    return PreprocessedInputs(
        Inputs(image=image, mask=whole_latents(mask), control_images=controls),
        Kept(image, feather(mask, generation.mask_blur or 0)),
    )


def _canvas(
    generation: Generation, pictures: Mapping[str, Image.Image], model: ModelDeclaration
) -> tuple[Image.Image | None, Image.Image | None]:
    """The picture to draw over and what of it is drawn anew, both at the size to draw at."""
    if "#/input_image" not in pictures:
        return None, None
    image = on_white(pictures["#/input_image"])
    if generation.outpaint is not None:
        placed = place(image, generation.outpaint, model)
        overlap = (generation.mask_blur or 0) + GRID
        return extend(placed, generation.outpaint), added(placed.size, generation.outpaint, overlap=overlap)
    size = generation_size(image.size, width=generation.width, height=generation.height, model=model)
    framing = Framing.of(image.size, size)
    if "#/mask_image" not in pictures:
        return framing.apply(image), None
    mask = pictures["#/mask_image"]
    check_shape(mask.size, image.size)
    return framing.apply(image), frame_mask(mask, framing)


def _guide(controlnet: ControlNet, picture: Image.Image, size: Size) -> Image.Image:
    fitted = Framing.of(picture.size, size).apply(on_white(picture))
    return find_edges(fitted) if controlnet.preprocess else fitted
