"""The texts in PNG files."""

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_TEXTS = 64
_MAX_TEXT_BYTES = 256 * 1024


class PngError(ValueError):
    """A file is not a PNG file, or its texts cannot be read; the message is the reason."""


def texts_of(data: bytes) -> dict[str, str]:
    """The texts of a PNG file by their keywords; of several with one keyword, the last one.

    Raises:
        PngError: the file is not a PNG file, is damaged, or has too many texts or too long ones.
    """
    texts: dict[str, str] = {}
    for kind, content in _chunks(data):
        read = _READERS.get(kind)
        if read is not None:
            keyword, separator, rest = content.partition(b"\0")
            if not separator:
                raise PngError("has a damaged text")
            texts[keyword.decode("latin-1")] = read(rest)
        if len(texts) > _MAX_TEXTS:
            raise PngError(f"has more than {_MAX_TEXTS} texts")
    return texts


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The types and contents of the chunks."""
    if not data.startswith(SIGNATURE):
        raise PngError("is not a PNG file")
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if position + 8 + length > len(data):
            break
        if kind == b"IEND":
            return
        yield kind, data[position + 8 : position + 8 + length]
        position += length + 12
    raise PngError("is cut off")


def _plain(content: bytes) -> str:
    _check_length(len(content))
    return content.decode("latin-1")


def _compressed(content: bytes) -> str:
    return _inflated(content[1:]).decode("latin-1")


def _international(content: bytes) -> str:
    """The text after the flag and method of its compression, the language tag and the translated keyword."""
    is_compressed, parts = content[:1] == b"\1", content[2:].split(b"\0", 2)
    if len(parts) < 3:
        raise PngError("has a damaged text")
    text = _inflated(parts[2]) if is_compressed else parts[2]
    _check_length(len(text))
    return text.decode(errors="replace")


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(content, _MAX_TEXT_BYTES + 1)
    except zlib.error as error:
        raise PngError("has a damaged text") from error
    _check_length(len(text))
    return text


def _check_length(length: int) -> None:
    if length > _MAX_TEXT_BYTES:
        raise PngError(f"has a text of more than {_MAX_TEXT_BYTES // 1024} KB")


_READERS = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}
