"""Sizes of image files, from their headers."""

import struct
from collections.abc import Callable

from contract.size import Size

_JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that begin a frame."""

_JPEG_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a segment."""


def size_of(data: bytes) -> Size | None:
    """Width and height in pixels of a PNG, JPEG or WebP file, without its orientation; None if not known.

    Args:
        data: the file, or its beginning.
    """
    for signature, read in _READERS.items():
        if data.startswith(signature):
            try:
                return read(data)
            except (struct.error, IndexError):
                return None
    return None


def _png(data: bytes) -> Size | None:
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" and width and height else None


def _jpeg(data: bytes) -> Size | None:
    position = 2
    while data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _JPEG_ALONE:
            position += 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return (width, height) if width and height else None
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + length
    return None


def _webp(data: bytes) -> Size | None:
    match data[12:16]:
        case b"VP8X":
            return _from_3_bytes(data[24:27]) + 1, _from_3_bytes(data[27:30]) + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return (width & 0x3FFF, height & 0x3FFF) if width and height else None
    return None


def _from_3_bytes(data: bytes) -> int:
    if len(data) < 3:
        raise IndexError
    return int.from_bytes(data, "little")


_READERS: dict[bytes, Callable[[bytes], Size | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8\xff": _jpeg,
    b"RIFF": _webp,
}
