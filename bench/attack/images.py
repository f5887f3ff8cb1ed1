"""Hostile images: small files that take much memory or time to decode."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image


def sixteen_bit_png() -> bytes:
    """50 million pixels of 16 bits in about 100 KB."""
    return encoded(Image.fromarray(np.zeros((7071, 7071), np.uint16)), "PNG")


def transparent_png() -> bytes:
    """50 million pixels with an alpha channel."""
    return encoded(Image.new("RGBA", (7071, 7071)), "PNG")


def jpeg_of_many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated 500 times."""
    data = encoded(Image.new("RGB", (4000, 4000), "red"), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * 500 + data[-2:]


def large_webp() -> bytes:
    """A WebP at the limit of its format in one direction."""
    return encoded(Image.new("RGB", (16383, 3000)), "WEBP", lossless=True)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


IMAGES: Mapping[str, Callable[[], bytes]] = {
    "16-bit PNG, 7071 x 7071": sixteen_bit_png,
    "RGBA PNG, 7071 x 7071": transparent_png,
    "JPEG with 500 scans": jpeg_of_many_scans,
    "WebP, 16383 x 3000": large_webp,
}
