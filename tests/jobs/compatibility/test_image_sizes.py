"""Sizes of image files, from their headers."""

import io
from typing import Any

import pytest
from PIL import Image

from jobs.compatibility.image_sizes import size_of


def encoded(image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(options.pop("mode", "RGB"), (300, 200)).save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        encoded("PNG"),
        encoded("JPEG"),
        encoded("JPEG", progressive=True, exif=b"Exif\0\0" + bytes(60_000)),
        encoded("WEBP"),
        encoded("WEBP", lossless=True),
        encoded("WEBP", mode="RGBA", lossless=True, exif=b"Exif\0\0II"),
    ],
)
def test_the_size_is_read_from_the_header(data: bytes) -> None:
    assert size_of(data) == (300, 200)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_the_size_of_a_file_that_is_cut_off_is_not_known(image_format: str) -> None:
    data = encoded(image_format)
    sizes = {size_of(data[:length]) for length in range(len(data))}
    assert sizes <= {None, (300, 200)}
    assert size_of(data[:16]) is None


@pytest.mark.parametrize("data", [b"", b"text", encoded("GIF"), b"\xff\xd8\xff\xd8" + bytes(8)])
def test_other_files_have_no_known_size(data: bytes) -> None:
    assert size_of(data) is None
