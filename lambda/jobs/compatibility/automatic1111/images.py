"""Input images in the forms that the web UI accepts, and their sizes."""

import base64
import re

from contract.generation import InvalidRequestError
from contract.images import IMAGE_MEDIA_TYPES
from contract.problem import FieldError
from contract.size import Size
from jobs.compatibility.image_files import media_type_of, with_media_type
from jobs.compatibility.image_sizes import size_of

_ADDRESS = re.compile(r"(https?|s3|data):", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_HEAD_CHARACTERS = 64
_HEADER_CHARACTERS = 256 * 1024
"""Of base64: the metadata that may precede the size of a JPEG file."""

_TOLERANCE = 0.02
"""Relative difference of aspect ratios that rounding to multiples of 8 may cause."""


def image_uri(text: str, pointer: str) -> str:
    """The URI of an image that is given as base64, as a `data:` URL, or by its address.

    Args:
        text: as the client sent it.
        pointer: JSON pointer of the field.

    Raises:
        InvalidRequestError: the text is none of these, or not an image.
    """
    if _ADDRESS.match(text):
        return with_media_type(text)
    content = _SPACES.sub("", text)
    media_type = media_type_of(_decoded(content[:_HEAD_CHARACTERS]))
    if media_type is None:
        detail = "must be an image in base64, one of " + ", ".join(IMAGE_MEDIA_TYPES)
        raise InvalidRequestError((FieldError(pointer=pointer, detail=detail),))
    return f"data:{media_type};base64,{content}"


def has_ratio_of(uri: str, size: Size) -> bool:
    """Whether an image is known to have the aspect ratio of a size."""
    found = size_of(_decoded(uri.partition(",")[2][:_HEADER_CHARACTERS]))
    if found is None:
        return False
    products = found[0] * size[1], found[1] * size[0]
    return abs(products[0] - products[1]) <= _TOLERANCE * max(products)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content[: len(content) // 4 * 4], validate=True)
    except ValueError:
        return b""
