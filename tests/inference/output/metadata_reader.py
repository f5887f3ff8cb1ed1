"""Reads the metadata of image files, independently of the code that writes it."""

import io
import json
import re
from typing import Any
from xml.etree import ElementTree

from PIL import ExifTags, Image

_GENERATION = "{urn:stable-diffusion-quick-kit}generation"
_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def open_image(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


def read_parameters(file: bytes) -> str | None:
    """AUTOMATIC1111's parameters text; None without any."""
    image = open_image(file)
    if image.format == "PNG":
        return image.info.get("parameters")
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if comment is None:
        return None
    assert comment.startswith(b"UNICODE\0")
    return str(comment.removeprefix(b"UNICODE\0").decode("utf-16-be"))


def read_generation(file: bytes) -> dict[str, Any] | None:
    """The JSON document; None without any."""
    image = open_image(file)
    text: str | None = image.info.get("generation")
    if image.format != "PNG":
        xmp = image.info.get("xmp")
        if xmp is not None:
            text = ElementTree.fromstring(xmp).findtext(f".//{_GENERATION}")  # noqa: S314 - written by this test
    return None if text is None else dict(json.loads(text))


def parse_parameters(text: str) -> dict[str, str]:
    """The parameters in the last line, parsed with AUTOMATIC1111's regular expression."""
    return {
        name: json.loads(value) if value.startswith('"') else value
        for name, value in _PARAMETER.findall(text.rpartition("\n")[2])
    }
