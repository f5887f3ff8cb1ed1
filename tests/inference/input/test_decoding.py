import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input import decoding
from tests.inference.input.image_files import encoded, noise, rgb_profile

FILES = Path(__file__).parent / "files"
MAX_PIXELS = 1_000_000
ORIENTATION = 0x0112
RED = (0.4360, 0.2225, 0.0139)


def decode(data: bytes) -> Image.Image:
    decoded = decoding.decode(data, pointer="#/input_image", max_pixels=MAX_PIXELS)
    assert decoded.mode in ("RGB", "RGBA")
    return decoding.flatten_on_white(decoded)


def code_of(data: bytes) -> ErrorCode:
    with pytest.raises(InputError, match="input_image: ") as caught:
        decode(data)
    return caught.value.code


def assert_close(pixel: Any, expected: tuple[int, int, int], tolerance: int = 1) -> None:
    assert pixel == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_common_formats_and_modes_become_rgb(kind: str, mode: str) -> None:
    if kind in ("JPEG", "WEBP", "AVIF") and mode in ("P", "1"):
        mode = "RGB"
    image = decode(encoded(Image.new("RGB", (12, 10), "white").convert(mode), kind))
    assert (image.mode, image.size) == ("RGB", (12, 10))
    assert min(image.getpixel((5, 5))) > 250


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (20_000, 1)])
def test_small_and_narrow_images_are_decoded(size: tuple[int, int]) -> None:
    assert decode(encoded(Image.new("RGB", size, "red"))).size == size


def test_lossless_formats_are_decoded_exactly() -> None:
    image = noise((31, 17))
    for kind in ("PNG", "BMP", "TIFF"):
        assert decode(encoded(image, kind)).tobytes() == image.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(kind: str) -> None:
    pixel = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind)).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > max(pixel[1:])


@pytest.mark.parametrize(("kind", "order"), [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2")])
def test_16_bit_gray_is_scaled_to_8_bits(kind: str, order: str) -> None:
    gray = Image.fromarray(np.full((8, 8), 32_768, dtype=order))
    assert gray.mode == ("I;16" if order == "<u2" else "I;16B")
    assert_close(decode(encoded(gray, kind)).getpixel((4, 4)), (128, 128, 128))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *, depth: int, color_type: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_16_bit_rgb_is_scaled_to_8_bits() -> None:
    data = png(1, 1, depth=16, color_type=2, rows=b"\0" + struct.pack(">HHH", 65_535, 32_768, 0))
    assert_close(decode(data).getpixel((0, 0)), (255, 128, 0))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-5, 32_768, 65_535], [0, 128, 255]),
        ([0, 2**30, 2**31 - 1], [0, 128, 255]),
        ([0, 2**31, 2**32 - 1], [0, 128, 255]),
    ],
    ids=["16 bits", "signed", "unsigned"],
)
def test_the_white_level_of_32_bit_integers_follows_from_their_range(
    values: list[int], expected: list[int]
) -> None:
    dtype = np.int32 if min(values) < 0 or max(values) < 2**31 else np.uint32
    decoded = decode(tiff(np.array([values], dtype=dtype)))
    assert [decoded.getpixel((x, 0)) for x in range(3)] == [(each,) * 3 for each in expected]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32])
@pytest.mark.parametrize("channels", [3, 4])
def test_deep_colors_are_scaled_to_8_bits(dtype: type, channels: int) -> None:
    white = 2**32 - 1 if dtype is np.uint32 else 1
    blue_to_alpha = np.array([[[0, 0.5, 1, 0.5][:channels], [1, 1, 1, 1][:channels]]])
    decoded = decoding.decode(
        tiff((blue_to_alpha * white).astype(dtype)), pointer="#/input_image", max_pixels=100
    )
    assert decoded.mode == "RGB" * (channels == 3) + "RGBA" * (channels == 4)
    assert_close(decoded.getpixel((0, 0)), (255, 128, 0, 128)[:channels])
    assert decoded.getpixel((1, 0)) == (255,) * channels


def test_a_deep_tiff_is_measured_by_its_header() -> None:
    data = tiff(np.zeros((30, 40, 3), np.float32))
    assert decoding.count_pixels(data, pointer="#/input_image", max_pixels=1200) == 1200
    with pytest.raises(InputError) as caught:
        decoding.decode(data, pointer="#/input_image", max_pixels=1199)
    assert caught.value.code is ErrorCode.INPUT_IMAGE_TOO_LARGE


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, for damaged tags
@pytest.mark.parametrize("cut", [9, 100, 200, 3000])
def test_a_damaged_deep_tiff_is_refused(cut: int) -> None:
    assert code_of(tiff(np.ones((30, 40, 3), np.float32))[:cut]) is ErrorCode.INVALID_INPUT_IMAGE


def tiff(pixels: Any) -> bytes:
    """A TIFF file; colors are in the order blue, green, red."""
    written, data = cv2.imencode(".tiff", pixels)
    assert written
    return bytes(data.tobytes())


@pytest.mark.parametrize(("name", "size"), [("halves", (96, 64)), ("rotated", (64, 96))])
def test_heic_files_of_phones_are_decoded(name: str, size: tuple[int, int]) -> None:
    image = decode((FILES / f"{name}.heic").read_bytes())
    corners = {
        "halves": ((8, 8, "blue"), (88, 8, "red"), (8, 58, "white")),
        "rotated": ((58, 8, "blue"), (58, 88, "red"), (5, 8, "white")),
    }[name]
    assert image.size == size
    for x, y, color in corners:
        assert_close(image.getpixel((x, y)), ImageColor.getrgb(color)[:3], tolerance=8)


def test_a_truncated_heic_file_is_refused() -> None:
    data = (FILES / "halves.heic").read_bytes()
    for length in (20, 200, 400):
        assert code_of(data[:length]) is ErrorCode.INVALID_INPUT_IMAGE


@pytest.mark.parametrize("white", [1.0, 255.0, 65_535.0])
def test_the_white_level_of_floats_follows_from_their_range(white: float) -> None:
    values = np.array([[0, 0.5, 1, np.nan]], dtype=np.float32) * np.float32(white)
    decoded = decode(encoded(Image.fromarray(values), "TIFF"))
    assert_close([decoded.getpixel((x, 0))[0] for x in range(4)], (0, 128, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparent_images_are_composited_on_white(mode: str, kind: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    assert decode(encoded(image, kind)).getpixel((1, 1)) == (255, 255, 255)


def test_translucent_images_are_composited_on_white() -> None:
    assert_close(
        decode(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 128)))).getpixel((1, 1)), (255, 127, 127)
    )


def test_a_transparent_color_of_a_palette_is_composited_on_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    assert decode(encoded(image, transparency=0)).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (32, 16), "black")
    upright.paste("white", (0, 0, 16, 8))
    transpositions = (
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,  # the inverse of 6
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,  # the inverse of 8
    )
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = upright if orientation == 1 else upright.transpose(transpositions[orientation - 2])
    image = decode(encoded(stored, kind, exif=exif))
    assert image.size == (32, 16)
    assert [image.getpixel(at)[0] > 128 for at in ((4, 4), (28, 4), (4, 12), (28, 12))] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03",
        b"\xff" * 40,
    ],
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_is_ignored(exif: bytes) -> None:
    assert decode(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif)).size == (20, 10)


def test_an_icc_profile_is_applied() -> None:
    """The profile's red is half as bright as sRGB's, in linear light."""
    dim = rgb_profile((RED[0] / 2, RED[1] / 2, RED[2] / 2))
    data = encoded(Image.new("RGB", (4, 4), "red"), icc_profile=dim)
    assert_close(decode(data).getpixel((1, 1)), (188, 0, 0), tolerance=3)


def test_an_icc_profile_is_applied_to_transparent_images() -> None:
    dim = rgb_profile((RED[0] / 2, RED[1] / 2, RED[2] / 2))
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((0, 0), (255, 0, 0, 0))
    decoded = decode(encoded(image, icc_profile=dim))
    assert_close(decoded.getpixel((1, 1)), (188, 0, 0), tolerance=3)
    assert decoded.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("profile", [b"nonsense", rgb_profile(RED)[:150], b"\0" * 200])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_damaged_icc_profile_is_ignored(profile: bytes, mode: str) -> None:
    image = Image.new(mode, (8, 8))
    plain, tagged = (decode(encoded(image, "TIFF", **options)) for options in ({}, {"icc_profile": profile}))
    assert tagged.tobytes() == plain.tobytes()


def test_an_icc_profile_of_another_color_space_is_ignored() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    tagged = decode(encoded(image, "TIFF", icc_profile=rgb_profile(RED)))
    assert tagged.tobytes() == decode(encoded(image, "TIFF")).tobytes()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_the_first_of_several_frames_is_decoded(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert_close(decode(data).getpixel((4, 4)), (255, 0, 0), tolerance=3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html>",
        b"%PDF-1.7",
        b"\0" * 500,
        encoded(Image.new("RGB", (8, 8)), "PDF"),
        encoded(Image.new("RGB", (8, 8)), "ICO"),
        png(0, 5, depth=8, color_type=2, rows=b""),
        png(5, 5, depth=8, color_type=5, rows=bytes(80)),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_a_file_that_is_not_an_image_is_refused(data: bytes) -> None:
    assert code_of(data) is ErrorCode.INVALID_INPUT_IMAGE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_a_truncated_image_is_refused(kind: str, share: float) -> None:
    data = encoded(noise((64, 64)), kind)
    assert code_of(data[: int(len(data) * share)]) is ErrorCode.INVALID_INPUT_IMAGE


def test_an_image_with_a_damaged_byte_is_refused() -> None:
    data = bytearray(encoded(noise((64, 64))))
    data[len(data) // 2] ^= 0xFF
    assert code_of(bytes(data)) is ErrorCode.INVALID_INPUT_IMAGE


def test_an_image_of_up_to_the_maximum_number_of_pixels_is_accepted() -> None:
    assert decode(encoded(Image.new("L", (1000, 1000)))).size == (1000, 1000)
    assert code_of(encoded(Image.new("L", (1001, 1000)))) is ErrorCode.INPUT_IMAGE_TOO_LARGE


@pytest.mark.parametrize("side", [20_000, 100_000, 2**31 - 1])
def test_a_header_with_a_huge_size_is_refused_before_decoding(side: int) -> None:
    data = png(side, side, depth=8, color_type=2, rows=b"\0")
    assert code_of(data) is ErrorCode.INPUT_IMAGE_TOO_LARGE


def test_a_small_file_with_many_pixels_is_refused() -> None:
    data = png(20_000, 20_000, depth=1, color_type=0, rows=bytes(20_000 * 2501))
    assert len(data) < 100_000
    assert code_of(data) is ErrorCode.INPUT_IMAGE_TOO_LARGE


def test_a_compressed_text_chunk_that_expands_enormously_is_refused() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    data = encoded(Image.new("RGB", (8, 8)))
    assert code_of(data[:33] + bomb + data[33:]) is ErrorCode.INVALID_INPUT_IMAGE


def test_the_next_image_is_decoded_after_each_error() -> None:
    image = noise((16, 16))
    for data in (b"", encoded(image)[:-30], png(20_000, 20_000, depth=8, color_type=2, rows=b"\0")):
        with pytest.raises(InputError):
            decode(data)
        assert decode(encoded(image)).tobytes() == image.tobytes()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns about some damage
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_a_damaged_file_is_decoded_or_refused(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(encoded(noise((16, 16)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError):
        assert decode(bytes(damaged)).mode == "RGB"
