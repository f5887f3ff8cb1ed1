import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference import images
from inference.contract.problem import ErrorCode
from inference.images import InputImageError

MAX_PIXELS = 1_000_000


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    return images.decode(data, field="input_image", max_pixels=MAX_PIXELS)


def code_of(data: bytes) -> ErrorCode:
    with pytest.raises(InputImageError, match="input_image") as caught:
        decode(data)
    return caught.value.code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_common_formats_and_modes_become_rgb(kind: str, mode: str) -> None:
    if kind in ("JPEG", "WEBP") and mode in ("P", "1"):
        mode = "RGB"
    image = decode(encoded(Image.new("RGB", (12, 10), "white").convert(mode), kind))
    assert (image.mode, image.size) == ("RGB", (12, 10))
    assert min(image.getpixel((5, 5))) > 250


def test_cmyk_becomes_rgb() -> None:
    red = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    pixel = decode(red).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > max(pixel[1:])


def test_sixteen_bits_keep_their_brightness() -> None:
    grey = Image.new("I;16", (8, 8), 32_768)
    assert decode(encoded(grey)).getpixel((4, 4)) == pytest.approx((128, 128, 128), abs=1)


def test_transparency_is_laid_on_white() -> None:
    image = decode(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 0))))
    assert image.getpixel((1, 1)) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour_is_laid_on_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    assert decode(encoded(image, transparency=0)).getpixel((1, 1)) == (255, 255, 255)


def test_the_camera_is_held_upright() -> None:
    image = Image.new("RGB", (20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(image, "JPEG", exif=exif)).size == (10, 20)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 500]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert code_of(data) is ErrorCode.INVALID_INPUT_IMAGE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    data = encoded(Image.effect_noise((64, 64), 80).convert("RGB"), kind)
    assert code_of(data[: len(data) // 2]) is ErrorCode.INVALID_INPUT_IMAGE


def test_too_many_pixels_are_refused() -> None:
    assert code_of(encoded(Image.new("L", (1001, 1000)))) is ErrorCode.INPUT_IMAGE_TOO_LARGE


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    assert code_of(data) is ErrorCode.INPUT_IMAGE_TOO_LARGE


def size(source: tuple[int, int], width: int | None = None, height: int | None = None) -> tuple[int, int]:
    return images.drawing_size(source, width=width, height=height, area=512 * 512, bounds=(64, 1024))


@pytest.mark.parametrize(
    ("source", "expected"),
    [((512, 512), (512, 512)), ((4000, 3000), (592, 440)), ((100, 100), (512, 512)), ((1, 1000), (64, 1024))],
)
def test_without_a_size_the_picture_keeps_its_shape_and_takes_the_models_area(
    source: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert size(source) == expected


def test_a_given_side_is_kept_and_the_other_follows() -> None:
    assert size((400, 200), width=256) == (256, 128)
    assert size((400, 200), height=256) == (512, 256)
    assert size((400, 200), width=256, height=256) == (256, 256)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_every_size_is_on_the_grid_and_within_bounds(width: int, height: int) -> None:
    drawn = size((width, height))
    assert all(side % 8 == 0 and 64 <= side <= 1024 for side in drawn)


def test_fitting_scales_and_crops_about_the_centre() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    fitted = images.fit(image, (64, 64))
    assert fitted.size == (64, 64)
    assert fitted.getpixel((8, 32)) == (0, 0, 255) == fitted.getpixel((55, 32))
