"""Checksums of S3 objects, and their comparison with local files."""

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
_PART_COUNT = re.compile(r"-(\d+)$")


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
    """An object's checksum.

    Attributes:
        algorithm: `sha256`, `sha1`, `crc32` or `md5`.
        digest: in bytes.
        part_bytes: part size of a multipart upload with a composite checksum, the hash of the parts'
            digests; None: the checksum is that of the whole content.
    """

    algorithm: str
    digest: bytes
    part_bytes: int | None = None

    def matches(self, path: Path) -> bool:
        """Whether the file has the object's content."""
        if self.part_bytes is None:
            return self._hash(_read(path, 0, path.stat().st_size)) == self.digest
        starts = range(0, path.stat().st_size, self.part_bytes)
        return self._hash(self._hash(_read(path, at, self.part_bytes)) for at in starts) == self.digest

    def _hash(self, blocks: Iterator[bytes]) -> bytes:
        total = _hash(self.algorithm)
        for block in blocks:
            total.update(block)
        return total.digest()


def checksum_of(head: Mapping[str, Any], part_size: Callable[[int], int]) -> Checksum | None:
    """The strongest checksum of an object that Python can compute, or None.

    There is none for objects encrypted with a KMS key, whose ETag is not an MD5, and for composite
    checksums of parts of different sizes.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

    Args:
        head: the response to HeadObject with ChecksumMode.
        part_size: size in bytes of the part with this number, from 1; called for multipart uploads only.
    """
    etag = head["ETag"].strip('"')
    found = {}
    # S3-compatible stores without ChecksumType return composite checksums without the part count.
    if "ChecksumType" in head or not _PART_COUNT.search(etag):
        found = {algorithm: head[field] for field, algorithm in _FIELDS.items() if field in head}
    if head.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in head:
        found["md5"] = etag
    for algorithm, value in found.items():
        parts = _PART_COUNT.search(value)
        text = _PART_COUNT.sub("", value)
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
