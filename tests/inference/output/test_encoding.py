import pytest
from PIL import Image, ImageChops
from pydantic import ValidationError

from contract.model import ModelLimits
from contract.options import OutputFormat
from contract.size import MAX_SIDE
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata
from tests.inference.output.metadata_reader import open_image, read_generation, read_parameters

METADATA = ImageMetadata(parameters="a circle", generation='{"request":{}}')
FORMATS = pytest.mark.parametrize("output_format", list(OutputFormat))


def encoded(image: Image.Image, output_format: OutputFormat, quality: int = 90) -> bytes:
    return encode(image, output_format, quality, METADATA)


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (4096, 4096), (MAX_SIDE, 8), (8, MAX_SIDE)])
@FORMATS
def test_images_of_every_size_are_encoded(output_format: OutputFormat, size: tuple[int, int]) -> None:
    image = open_image(encoded(Image.new("RGB", size, "navy"), output_format))
    assert (image.size, image.format) == (size, output_format.name)
    pixel = image.convert("RGB").getpixel((size[0] - 1, size[1] - 1))
    assert pixel == pytest.approx((0, 0, 128), abs=4)


def test_the_limits_of_a_model_do_not_exceed_those_of_the_formats() -> None:
    for name in ("max_size", "max_output_size"):
        with pytest.raises(ValidationError, match=str(MAX_SIDE)):
            ModelLimits.model_validate({name: MAX_SIDE + 8})


def test_png_is_lossless() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((64, 32), 90) for _ in range(3)])
    assert open_image(encoded(noise, OutputFormat.PNG)).tobytes() == noise.tobytes()


@pytest.mark.parametrize("output_format", [OutputFormat.JPEG, OutputFormat.WEBP])
def test_files_of_higher_quality_are_larger(output_format: OutputFormat) -> None:
    noise = Image.effect_noise((128, 128), 40).convert("RGB")
    sizes = [len(encoded(noise, output_format, quality)) for quality in (1, 50, 90, 100)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("output_format", [OutputFormat.JPEG, OutputFormat.WEBP])
def test_the_highest_quality_is_nearly_lossless(output_format: OutputFormat) -> None:
    image = Image.linear_gradient("L").convert("RGB")
    decoded = open_image(encoded(image, output_format, 100)).convert("RGB")
    extremes = ImageChops.difference(decoded, image).getextrema()
    assert max(highest for _, highest in extremes) <= 4


@pytest.mark.parametrize(
    "metadata",
    [
        ImageMetadata(),
        ImageMetadata(parameters="a circle"),
        ImageMetadata(generation="{}"),
        ImageMetadata(parameters="a circle", generation="{}"),
    ],
    ids=["none", "parameters", "generation", "both"],
)
@FORMATS
def test_a_file_has_exactly_the_given_texts(output_format: OutputFormat, metadata: ImageMetadata) -> None:
    file = encode(Image.new("RGB", (16, 16)), output_format, 90, metadata)
    assert read_parameters(file) == metadata.parameters
    assert read_generation(file) == (None if metadata.generation is None else {})


@FORMATS
def test_a_file_without_texts_has_no_metadata_chunks(output_format: OutputFormat) -> None:
    file = encode(Image.new("RGB", (16, 16)), output_format, 90, ImageMetadata())
    assert not open_image(file).getexif()
    assert not any(marker in file for marker in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"Exif", b"xmp"))
