"""Checksums as HeadObject returns them."""

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from inference.transfer.checksums import Checksum, checksum_of

CONTENT = b"0123456789"
PARTS = (CONTENT[:4], CONTENT[4:8], CONTENT[8:])
MD5 = hashlib.md5(CONTENT).hexdigest()  # noqa: S324 - the ETag of S3


def head(**fields: Any) -> dict[str, Any]:
    return {"ETag": f'"{MD5}"', "ContentLength": len(CONTENT), **fields}


def part_size(number: int) -> int:
    return len(PARTS[number - 1])


def no_parts(number: int) -> int:
    pytest.fail(f"the size of part {number} was requested")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("fields", "algorithm"),
    [
        ({"ChecksumSHA256": b64(hashlib.sha256(CONTENT).digest())}, "sha256"),
        ({"ChecksumSHA1": b64(hashlib.sha1(CONTENT).digest())}, "sha1"),  # noqa: S324
        ({"ChecksumCRC32": b64(zlib.crc32(CONTENT).to_bytes(4, "big"))}, "crc32"),
        ({}, "md5"),
        ({"ServerSideEncryption": "AES256"}, "md5"),
    ],
)
def test_a_checksum_of_the_content_matches_only_that_content(
    file: Path, fields: dict[str, str], algorithm: str
) -> None:
    checksum = checksum_of(head(**fields), no_parts)
    assert checksum is not None
    assert checksum.algorithm == algorithm
    assert checksum.matches(file)
    file.write_bytes(CONTENT[::-1])
    assert not checksum.matches(file)


def test_the_strongest_checksum_is_preferred() -> None:
    fields = {"ChecksumCRC32": b64(bytes(4)), "ChecksumSHA256": b64(bytes(32))}
    assert checksum_of(head(**fields), no_parts) == Checksum("sha256", bytes(32))


@pytest.mark.parametrize(
    "encryption", [{"ServerSideEncryption": "aws:kms"}, {"SSECustomerAlgorithm": "AES256"}]
)
def test_the_etag_of_an_encrypted_object_is_not_a_checksum(encryption: dict[str, str]) -> None:
    assert checksum_of(head(**encryption), no_parts) is None


def composite(count: int, algorithm: str) -> bytes:
    digests = b"".join(hashlib.new(algorithm, part).digest() for part in PARTS[:count])
    return hashlib.new(algorithm, digests).digest()


@pytest.mark.parametrize(
    ("fields", "algorithm"),
    [
        ({"ETag": f'"{composite(3, "md5").hex()}-3"'}, "md5"),
        (
            {
                "ETag": '"0-3"',
                "ChecksumType": "COMPOSITE",
                "ChecksumSHA256": f"{b64(composite(3, 'sha256'))}-3",
            },
            "sha256",
        ),
    ],
)
def test_a_composite_checksum_matches_only_that_content(
    file: Path, fields: dict[str, str], algorithm: str
) -> None:
    checksum = checksum_of(head(**fields), part_size)
    assert checksum is not None
    assert (checksum.algorithm, checksum.part_bytes) == (algorithm, 4)
    assert checksum.matches(file)
    file.write_bytes(CONTENT[::-1])
    assert not checksum.matches(file)


def test_parts_of_different_sizes_have_no_usable_checksum() -> None:
    sizes = {1: 2, 2: 4, 3: 4}
    assert checksum_of(head(ETag=f'"{MD5}-3"'), sizes.__getitem__) is None


def test_a_composite_checksum_without_its_type_is_ignored() -> None:
    """Some S3-compatible stores return it without the part count."""
    fields = {"ETag": f'"{MD5}-3"', "ChecksumSHA256": b64(bytes(32))}
    assert checksum_of(head(**fields), part_size) == Checksum("md5", bytes.fromhex(MD5), 4)
