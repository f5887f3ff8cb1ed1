"""Limits of decoding: sizes, scans and memory."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input import decoding
from inference.input.decode_queue import LARGE, SMALL
from inference.input.decoding import FULL_SIZE_PIXELS, count_pixels
from inference.input.image_preprocessing import largest_image
from inference.isolation import IsolatedCall, Limits
from tests.inference.input.image_files import encoded, noise
from tests.waiting import LIMIT_S

MAX_PIXELS = 50_000_000
POINTER = "#/mask_image"


def count(data: bytes, max_pixels: int = MAX_PIXELS) -> int:
    return count_pixels(data, pointer=POINTER, max_pixels=max_pixels)


def decode(data: bytes) -> Image.Image:
    return decoding.decode(data, pointer=POINTER, max_pixels=MAX_PIXELS)


def png_header(width: int, height: int) -> bytes:
    """A PNG whose image data is missing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + bytes(9))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("size", [(1, 1), (300, 17), (16, 500)])
def test_the_size_is_read_from_the_header(kind: str, size: tuple[int, int]) -> None:
    assert count(encoded(noise(size), kind)) == size[0] * size[1]


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0"}, {"save_all": True}])
def test_every_kind_of_webp_header_is_read(options: dict[str, object]) -> None:
    image = Image.new("RGBA" if "exif" in options else "RGB", (301, 17))
    assert count(encoded(image, "WEBP", **options)) == 301 * 17


def test_the_largest_image_of_a_job_counts(tmp_path: Path) -> None:
    files = {}
    for number, size in enumerate([(10, 10), (30, 20), (5, 5)]):
        files[f"#/{number}"] = tmp_path / str(number)
        files[f"#/{number}"].write_bytes(encoded(noise(size)))
    assert largest_image(files, max_pixels=600) == 600
    with pytest.raises(InputError, match="1: the image exceeds the limit of 599 pixels"):
        largest_image(files, max_pixels=599)


@pytest.mark.parametrize("read", [count, decode], ids=["count", "decode"])
@pytest.mark.parametrize(
    ("size", "detail"),
    [
        ((20_001, 1), "20001 x 1 pixels; at most 20,000 per side"),
        ((1, 20_001), "1 x 20001 pixels; at most 20,000 per side"),
        ((7_072, 7_072), "exceeds the limit of 50,000,000 pixels"),
    ],
)
def test_sides_and_areas_beyond_the_limits_are_refused_from_the_header(
    read: Callable[[bytes], object], size: tuple[int, int], detail: str
) -> None:
    with pytest.raises(InputError, match=detail) as caught:
        read(png_header(*size))
    assert caught.value.code is ErrorCode.INPUT_IMAGE_TOO_LARGE
    assert caught.value.errors[0].pointer == POINTER


def test_a_jpeg_with_many_scans_is_refused() -> None:
    data = encoded(noise((64, 64)), "JPEG", progressive=True)
    scan = data[data.index(b"\xff\xda") : -2]
    decode(data)
    with pytest.raises(InputError, match="more than 100 scans"):
        decode(data[:-2] + scan * 100 + data[-2:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16", "CMYK"])
def test_large_images_are_reduced_by_averaging(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(decoding, "FULL_SIZE_PIXELS", 100 * 100)
    image = Image.new("L", (250, 130), 40)
    image.paste(200, (0, 0, 125, 130))
    kind = "TIFF" if mode == "CMYK" else "PNG"
    if mode == "I;16":
        file = encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 257))
    else:
        file = encoded(image.convert(mode), kind)
    decoded = decode(file)
    assert decoded.size == (125, 65)
    left, right = (decoded.convert("L").getpixel((x, 30)) for x in (10, 110))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert left - right > 100
    assert image.size == (250, 130)


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "FULL_SIZE_PIXELS", 100 * 100)
    monkeypatch.setattr(decoding, "_BAND_ROWS", 4)
    image = noise((250, 131))
    assert decode(encoded(image)).tobytes() == image.reduce(2).tobytes()


def flat(size: tuple[int, int], mode: str, kind: str) -> bytes:
    if mode == "I;16":
        return encoded(Image.fromarray(np.zeros((size[1], size[0]), np.uint16)), kind)
    return encoded(Image.new(mode, size), kind)


FILES = {
    "RGB": "PNG",
    "RGBA": "PNG",
    "I;16": "PNG",
    "P": "GIF",
    "1": "PNG",
    "CMYK": "TIFF",
}


@pytest.mark.parametrize("mode", FILES)
@pytest.mark.parametrize(("side", "limits"), [(4_000, SMALL), (7_000, LARGE)], ids=["small", "large"])
def test_images_of_the_permitted_size_are_decoded_within_the_memory_limit(
    mode: str, side: int, limits: Limits
) -> None:
    assert (side * side <= FULL_SIZE_PIXELS) == (limits == SMALL)
    unlimited_time = Limits(seconds=LIMIT_S, memory_bytes=limits.memory_bytes)
    call = IsolatedCall(unlimited_time, _decoded_size, flat((side, side), mode, FILES[mode]))
    assert call.result() <= FULL_SIZE_PIXELS


def _decoded_size(data: bytes) -> int:
    image = decoding.flatten_on_white(decode(data))
    return image.width * image.height
