"""Preprocessing of a generation's input images: fetching, decoding, resizing, masks and control images."""

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.options import ControlNet
from contract.request import control_image_pointer, input_image_uris
from contract.size import GRID, Size
from inference.engine.interface import Inputs
from inference.input.canny import canny_edges
from inference.input.compositing import Compositor, feather
from inference.input.decoding import decode, flatten_on_white
from inference.input.image_sources import ImageSources
from inference.input.mask import check_aspect_ratio, expand_to_latents, prepare_mask
from inference.input.outpainting import extend_canvas, outpaint_mask, resize_for_canvas
from inference.input.resizing import CropResize, generation_size


@dataclass(frozen=True)
class PreprocessedInputs:
    """The preprocessed input images of a generation.

    Attributes:
        inputs: the engine's inputs, without adapters.
        compositor: restores the kept areas in each generated image; None without a mask.
        input_digests: SHA-256 of the fetched files in hexadecimal, by the pointers of `input_image_uris`.
    """

    inputs: Inputs = field(default_factory=Inputs)
    compositor: Compositor | None = None
    input_digests: Mapping[str, str] = field(default_factory=dict)

    def composite(self, generated: Image.Image) -> Image.Image:
        """A generated image with the kept areas of the input image restored."""
        return generated if self.compositor is None else self.compositor.composite(generated)


class InputPreprocessor:
    """Fetches and preprocesses the input images of generations."""

    def __init__(
        self, *, sources: ImageSources, environment: ContainerEnvironment, executor: Executor
    ) -> None:
        self._sources = sources
        self._models = environment.served
        self._max_pixels = environment.max_input_image_pixels
        self._executor = executor

    async def preprocess(self, generation: Generation) -> PreprocessedInputs:
        """Fetches the images concurrently and preprocesses them.

        Raises:
            InputError: an image cannot be used.
        """
        run = asyncio.get_running_loop().run_in_executor
        uris = input_image_uris(generation)
        fetched = await asyncio.gather(
            *(run(self._executor, self._fetch, uri, pointer) for pointer, uri in uris.items())
        )
        images = {pointer: image for pointer, (image, _) in zip(uris, fetched, strict=True)}
        digests = {pointer: digest for pointer, (_, digest) in zip(uris, fetched, strict=True)}
        model = self._models[generation.model]
        preprocessed = await run(self._executor, preprocess_images, generation, images, model)
        return replace(preprocessed, input_digests=digests)

    def _fetch(self, uri: str, pointer: str) -> tuple[Image.Image, str]:
        """The decoded image and the SHA-256 of its file."""
        data = self._sources.fetch(uri, pointer)
        image = decode(data, pointer=pointer, max_pixels=self._max_pixels)
        return image, hashlib.sha256(data).hexdigest()


def preprocess_images(
    generation: Generation, images: Mapping[str, Image.Image], model: ModelDeclaration
) -> PreprocessedInputs:
    """Preprocesses decoded images.

    Args:
        generation: the request.
        images: RGB or RGBA, by the pointers of `input_image_uris`.
        model: its defaults and limits determine the size.

    Raises:
        InputError: the images do not match each other or the model's limits.
    """
    image, mask = _image_and_mask(generation, images, model)
    size = Inputs(image).size(generation)
    control_images = tuple(
        _control_image(each, images[control_image_pointer(index)], size)
        for index, each in enumerate(generation.controlnets)
    )
    if image is None or mask is None:
        return PreprocessedInputs(Inputs(image=image, control_images=control_images))
    return PreprocessedInputs(
        Inputs(image=image, mask=expand_to_latents(mask), control_images=control_images),
        Compositor(image, feather(mask, generation.mask_blur or 0)),
    )


def _image_and_mask(
    generation: Generation, images: Mapping[str, Image.Image], model: ModelDeclaration
) -> tuple[Image.Image | None, Image.Image | None]:
    """The input image and the mask at the generation's size; None where there is none."""
    if "#/input_image" not in images:
        return None, None
    image = flatten_on_white(images["#/input_image"])
    if generation.outpaint is not None:
        resized = resize_for_canvas(image, generation.outpaint, model)
        overlap = (generation.mask_blur or 0) + GRID
        mask = outpaint_mask(resized.size, generation.outpaint, overlap=overlap)
        return extend_canvas(resized, generation.outpaint), mask
    size = generation_size(image.size, width=generation.width, height=generation.height, model=model)
    crop_resize = CropResize.between(image.size, size)
    if "#/mask_image" not in images:
        return crop_resize.apply(image), None
    mask = images["#/mask_image"]
    check_aspect_ratio(mask.size, image.size)
    return crop_resize.apply(image), prepare_mask(mask, crop_resize)


def _control_image(controlnet: ControlNet, image: Image.Image, size: Size) -> Image.Image:
    resized = CropResize.between(image.size, size).apply(flatten_on_white(image))
    return canny_edges(resized) if controlnet.preprocess else resized
