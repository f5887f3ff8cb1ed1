"""Preprocessing of fetched input images: decoding, resizing, masks and control images.

Runs in a child process (`inference.isolation`), so this module imports nothing of the network and no torch.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from contract.generation import Generation
from contract.model import ModelDeclaration
from contract.request import control_image_pointer
from contract.size import GRID
from inference.engine.interface import Inputs
from inference.input.canny import canny_edges
from inference.input.compositing import Compositor, feather
from inference.input.decoding import count_pixels, decode, flatten_on_white
from inference.input.mask import check_aspect_ratio, expand_to_latents, prepare_mask, resize_mask
from inference.input.masked_region import Region, masked_region
from inference.input.outpainting import extend_canvas, outpaint_mask, resize_for_canvas
from inference.input.resizing import CropResize, generation_size, limit_size

_INPUT_IMAGE = "#/input_image"
_MASK_IMAGE = "#/mask_image"


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


def largest_image(files: Mapping[str, Path], *, max_pixels: int) -> int:
    """The number of pixels of the largest image, from the files' headers.

    Args:
        files: by the pointers of `input_image_uris`.
        max_pixels: limit for each image.

    Raises:
        InputError: a file is no image, or the image is too large.
    """
    return max(
        count_pixels(path.read_bytes(), pointer=pointer, max_pixels=max_pixels)
        for pointer, path in files.items()
    )


def preprocess_files(
    generation: Generation, files: Mapping[str, Path], model: ModelDeclaration, *, max_pixels: int
) -> PreprocessedInputs:
    """Decodes and preprocesses image files, one after another; each file is decoded once.

    Args:
        generation: the request.
        files: by the pointers of `input_image_uris`; several pointers may share a file.
        model: its defaults and limits determine the size.
        max_pixels: limit for each image.

    Raises:
        InputError: an image cannot be decoded, or the images do not match each other or the model's limits.
    """
    pointers: dict[Path, list[str]] = defaultdict(list)
    for pointer in sorted(files, key=[_INPUT_IMAGE, _MASK_IMAGE].__contains__, reverse=True):
        pointers[files[pointer]].append(pointer)
    preprocessing = _Preprocessing(generation, model)
    for path, users in pointers.items():
        image = decode(path.read_bytes(), pointer=users[0], max_pixels=max_pixels)
        for pointer in users:
            preprocessing.add(pointer, image)
    return preprocessing.result()


class _Area(NamedTuple):
    """The part of an image that is generated, and the image that it is restored to."""

    original: Image.Image
    region: Region


class _Preprocessing:
    """Collects the preprocessed images of a generation. The input image is added first."""

    def __init__(self, generation: Generation, model: ModelDeclaration) -> None:
        self._generation = generation
        self._model = model
        self._source_size = (0, 0)
        self._crop_resize: CropResize | None = None
        self._image: Image.Image | None = None
        self._mask: Image.Image | None = None
        self._original: Image.Image | None = None
        self._area: _Area | None = None
        self._control_images: dict[str, Image.Image] = {}

    def add(self, pointer: str, image: Image.Image) -> None:
        """Preprocesses the decoded image of a pointer.

        Raises:
            InputError: the image does not match the others or the model's limits.
        """
        if pointer == _INPUT_IMAGE:
            self._add_input_image(flatten_on_white(image))
        elif pointer == _MASK_IMAGE and self._crop_resize is not None:
            check_aspect_ratio(image.size, self._source_size)
            mask = prepare_mask(
                image,
                self._crop_resize,
                invert=self._generation.mask_invert,
                alpha=self._generation.mask_alpha,
            )
            if self._original is None:
                self._mask = mask
            else:
                self._select_area(self._original, mask)
        else:
            flattened = flatten_on_white(image)
            if self._area is not None:
                flattened = self._area.region.crop(flattened, self._area.original.size)
            size = Inputs(self._image).size(self._generation)
            self._control_images[pointer] = CropResize.between(flattened.size, size).apply(flattened)

    def result(self) -> PreprocessedInputs:
        """The inputs, when all images are added."""
        control_images = tuple(
            canny_edges(self._control_images[pointer]) if each.preprocess else self._control_images[pointer]
            for pointer, each in (
                (control_image_pointer(index), each)
                for index, each in enumerate(self._generation.controlnets)
            )
        )
        if self._image is None or self._mask is None:
            return PreprocessedInputs(Inputs(image=self._image, control_images=control_images))
        weight = feather(self._mask, self._generation.mask_blur or 0)
        if self._area is None:
            compositor = Compositor(self._image, weight)
        else:
            compositor = Compositor(self._area.original, weight, self._area.region)
        mask = resize_mask(self._mask, self._image.size)
        return PreprocessedInputs(
            Inputs(image=self._image, mask=expand_to_latents(mask), control_images=control_images),
            compositor,
        )

    def _add_input_image(self, image: Image.Image) -> None:
        generation, model = self._generation, self._model
        if generation.outpaint is not None:
            resized = resize_for_canvas(image, generation.outpaint, model)
            overlap = (generation.mask_blur or 0) + GRID
            self._mask = outpaint_mask(resized.size, generation.outpaint, overlap=overlap)
            self._image = extend_canvas(resized, generation.outpaint)
            return
        self._source_size = image.size
        if generation.mask_padding is not None:
            self._original = limit_size(image, model.limits.max_output_size)
            self._crop_resize = CropResize(self._original.size, (1.0, 1.0))
            return
        size = generation_size(image.size, width=generation.width, height=generation.height, model=model)
        self._crop_resize = CropResize.between(image.size, size)
        self._image = self._crop_resize.apply(image)

    def _select_area(self, original: Image.Image, mask: Image.Image) -> None:
        """Makes the area around the mask the image that is generated; the rest is restored afterwards."""
        generation = self._generation
        width, height = generation.width, generation.height
        ratio = width / height if width and height else None
        region = masked_region(mask, padding=generation.mask_padding or 0, ratio=ratio)
        size = generation_size(region.size, width=width, height=height, model=self._model)
        self._area = _Area(original, region)
        self._image = original.crop(region).resize(size, Image.Resampling.LANCZOS)
        self._mask = mask.crop(region)
