"""Media types of image files, from their first bytes."""

import base64
import re

from contract.images import IMAGE_MEDIA_TYPES, ImageMediaType

_SIGNATURES: tuple[tuple[re.Pattern[bytes], ImageMediaType], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"BM"), "image/bmp"),
    (re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+"), "image/tiff"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms])", re.DOTALL), "image/heic"),
    (re.compile(rb"....ftypm[is]f1", re.DOTALL), "image/heif"),
)
_HEAD_CHARACTERS = 64
"""Of base64: 48 bytes, more than any signature."""


def media_type_of(data: bytes) -> ImageMediaType | None:
    """The media type of an image file; None if it is none that the API accepts."""
    return next((media_type for pattern, media_type in _SIGNATURES if pattern.match(data)), None)


def with_media_type(url: str) -> str:
    """A `data:` URL with the media type of its content, in place of one that is no image's.

    Clients that know a file by its bytes alone send `application/octet-stream`. Other texts, and contents
    that are no image, remain as they are.
    """
    header, _, content = url.partition(",")
    if not header.lower().startswith("data:") or not header.lower().endswith(";base64"):
        return url
    if header[len("data:") : -len(";base64")] in IMAGE_MEDIA_TYPES:
        return url
    try:
        head = base64.b64decode(content[:_HEAD_CHARACTERS], validate=True)
    except ValueError:
        return url
    media_type = media_type_of(head)
    return url if media_type is None else f"data:{media_type};base64,{content}"
