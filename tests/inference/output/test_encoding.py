"""Pictures of every size become files of every format."""

import pytest
from PIL import Image, ImageChops
from pydantic import ValidationError

from contract.model import MAX_SIDE, ModelLimits
from contract.options import OutputFormat
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata
from tests.inference.output.metadata_reader import opened

PROVENANCE = ImageMetadata(parameters="a circle", generation="{}")
FORMATS = pytest.mark.parametrize("output_format", list(OutputFormat))


def encoded(picture: Image.Image, output_format: OutputFormat, quality: int = 90) -> bytes:
    return encode(picture, output_format, quality, PROVENANCE)


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (4096, 4096), (MAX_SIDE, 8), (8, MAX_SIDE)])
@FORMATS
def test_every_size_can_be_kept(output_format: OutputFormat, size: tuple[int, int]) -> None:
    image = opened(encoded(Image.new("RGB", size, "navy"), output_format))
    assert (image.size, image.format) == (size, output_format.name)
    pixel = image.convert("RGB").getpixel((size[0] - 1, size[1] - 1))
    assert pixel == pytest.approx((0, 0, 128), abs=4)


def test_a_model_does_not_allow_what_webp_cannot_hold() -> None:
    for name in ("max_size", "max_output_size"):
        with pytest.raises(ValidationError, match=str(MAX_SIDE)):
            ModelLimits.model_validate({name: MAX_SIDE + 8})


def test_a_png_holds_the_picture_exactly() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((64, 32), 90) for _ in range(3)])
    assert opened(encoded(noise, OutputFormat.PNG)).tobytes() == noise.tobytes()


@pytest.mark.parametrize("output_format", [OutputFormat.JPEG, OutputFormat.WEBP])
def test_quality_is_paid_for_in_bytes(output_format: OutputFormat) -> None:
    noise = Image.effect_noise((128, 128), 40).convert("RGB")
    sizes = [len(encoded(noise, output_format, quality)) for quality in (1, 50, 90, 100)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("output_format", [OutputFormat.JPEG, OutputFormat.WEBP])
def test_at_full_quality_little_is_lost(output_format: OutputFormat) -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    kept = opened(encoded(picture, output_format, 100)).convert("RGB")
    extremes = ImageChops.difference(kept, picture).getextrema()
    assert max(most for _, most in extremes) <= 4
