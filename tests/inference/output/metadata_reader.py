"""Reads what a file says of itself, as other people's programs do."""

import io
import json
import re
from typing import Any
from xml.etree import ElementTree

from PIL import ExifTags, Image

_GENERATION = "{urn:stable-diffusion-quick-kit}generation"
_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def opened(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


def parameters(file: bytes) -> str:
    """The text in AUTOMATIC1111's convention."""
    image = opened(file)
    if image.format == "PNG":
        return str(image.info["parameters"])
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.startswith(b"UNICODE\0")
    return str(comment.removeprefix(b"UNICODE\0").decode("utf-16-be"))


def document(file: bytes) -> dict[str, Any] | None:
    """The JSON; None where there is none."""
    image = opened(file)
    text: str | None = image.info.get("generation")
    if image.format != "PNG":
        xmp = image.info.get("xmp")
        if xmp is not None:
            text = ElementTree.fromstring(xmp).findtext(f".//{_GENERATION}")  # noqa: S314 - our own
    return None if text is None else dict(json.loads(text))


def last_line(text: str) -> dict[str, str]:
    """The parameters behind the prompts, by the expression with which AUTOMATIC1111 takes them apart."""
    return {
        name: json.loads(value) if value.startswith('"') else value
        for name, value in _PARAMETER.findall(text.rpartition("\n")[2])
    }
