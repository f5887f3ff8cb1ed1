"""What S3 says of an object's content, and whether a file has the same."""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_BLOCK_BYTES = 1 << 20
_FIELDS = {"ChecksumSHA256": "sha256", "ChecksumSHA1": "sha1", "ChecksumCRC32": "crc32"}
_PARTS = re.compile(r"-(\d+)$")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _hash(algorithm: str) -> _Hash:
    return _Crc32() if algorithm == "crc32" else hashlib.new(algorithm, usedforsecurity=False)


@dataclass(frozen=True)
class Checksum:
    """A digest of an object.

    Attributes:
        algorithm: `sha256`, `sha1`, `crc32` or `md5`.
        digest: its bytes.
        part_bytes: where the object was uploaded in parts, their size: the digest is then one of the parts'
            digests, one after the other. None: it is one of the content.
    """

    algorithm: str
    digest: bytes
    part_bytes: int | None = None

    def matches(self, path: Path) -> bool:
        """Whether the file has the object's content."""
        if self.part_bytes is None:
            return self._of(_read(path, 0, path.stat().st_size)) == self.digest
        starts = range(0, path.stat().st_size, self.part_bytes)
        return self._of(self._of(_read(path, at, self.part_bytes)) for at in starts) == self.digest

    def _of(self, blocks: Iterator[bytes]) -> bytes:
        total = _hash(self.algorithm)
        for block in blocks:
            total.update(block)
        return total.digest()


def checksum_of(head: Mapping[str, Any], part_size: Callable[[int], int]) -> Checksum | None:
    """The strongest checksum that S3 has of an object and that Python can compute.

    None where there is none: an object encrypted with a KMS key has no MD5 for an ETag, and parts of
    different sizes have no digest that can be had from the whole.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

    Args:
        head: the answer to HeadObject, with ChecksumMode.
        part_size: the bytes of the part with a number, counted from 1; asked only of such as has parts.
    """
    etag = head["ETag"].strip('"')
    found = {}
    if "ChecksumType" in head or not _PARTS.search(etag):  # stores that lack the one do not mark the others
        found = {algorithm: head[field] for field, algorithm in _FIELDS.items() if field in head}
    if head.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in head:
        found["md5"] = etag
    for algorithm, value in found.items():
        parts = _PARTS.search(value)
        text = _PARTS.sub("", value)
        digest = bytes.fromhex(text) if algorithm == "md5" else base64.b64decode(text)
        if parts is None:
            return Checksum(algorithm, digest)
        count, part_bytes = int(parts[1]), part_size(1)
        if part_size(count) == head["ContentLength"] - (count - 1) * part_bytes:
            return Checksum(algorithm, digest, part_bytes)
    return None


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (block := file.read(min(length, _BLOCK_BYTES))):
            length -= len(block)
            yield block
