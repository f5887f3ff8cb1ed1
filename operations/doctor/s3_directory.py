"""Directories in S3: the objects under a prefix."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.doctor.aws import Aws
from operations.doctor.check import SkippedError, error_code

_SAFETENSORS = ".safetensors"
_LENGTH_BYTES = 8
"""Of the length at the beginning of a safetensors file, little endian; header and tensors follow."""

_FIRST_BYTES = 1 << 19
_MAX_HEADER_BYTES = 1 << 25


def models_bucket(aws: Aws, stage: str) -> str:
    """The name of the stage's models bucket.

    Raises:
        SkippedError: it does not exist yet.
    """
    stack = f"StableDiffusion-{stage}-Storage"
    try:
        described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise SkippedError(f"not checked, because the stack {stack} is not deployed yet") from error
    for output in described.get("Outputs", []):
        if output["OutputKey"] == "ModelsBucketName":
            return str(output["OutputValue"])
    raise SkippedError(
        f"not checked, because the stack {stack} ({described['StackStatus']}) has no bucket yet"
    )


class S3Directory:
    """The objects under a prefix."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    @property
    def uri(self) -> str:
        """The `s3://` URI of the directory."""
        return f"s3://{self._bucket}/{self._prefix}"

    def objects(self) -> dict[str, int]:
        """The size in bytes of each object, by its path below the prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        return {
            each["Key"].removeprefix(self._prefix): each["Size"]
            for page in pages
            for each in page.get("Contents", [])
        }

    def files(self) -> dict[str, int]:
        """The objects without those that end with a slash, which the S3 console creates for folders."""
        return {path: size for path, size in self.objects().items() if path and not path.endswith("/")}

    def copy(self, files: Mapping[str, int], target: Path, *, max_bytes: int) -> None:
        """Copies files without the values of large tensors: only their headers are downloaded.

        A safetensors file gets its header and its size; the file system stores no bytes for the rest, which
        reads as zeros. The same holds for all bytes of other files that are larger than `max_bytes`.

        Args:
            files: sizes in bytes by path below the prefix.
            target: the local directory.
            max_bytes: size of the largest file that is downloaded whole, unless it is a safetensors file.

        Raises:
            ValueError: a path leads outside the directory.
        """
        for path, size in files.items():
            if any(step in ("", ".", "..") or "\\" in step or "\0" in step for step in path.split("/")):
                raise ValueError(f"{path!r} is not a path below the prefix")
            local = target / path
            local.parent.mkdir(parents=True, exist_ok=True)
            with local.open("wb") as file:
                for start in self._contents(path, size, max_bytes):
                    file.write(start)
                file.truncate(size)

    def _contents(self, path: str, size: int, max_bytes: int) -> Iterable[bytes]:
        """The beginning of a file, as far as it is downloaded."""
        if not path.endswith(_SAFETENSORS):
            return [self._read(path, size)] if size <= max_bytes else []
        start = self._read(path, min(size, _FIRST_BYTES))
        end = min(size, _LENGTH_BYTES + int.from_bytes(start[:_LENGTH_BYTES], "little"), _MAX_HEADER_BYTES)
        return [start if end <= len(start) else self._read(path, end)]

    def _read(self, path: str, count: int) -> bytes:
        """The first bytes of a file."""
        if not count:
            return b""  # an empty object has no ranges
        response = self._s3.get_object(
            Bucket=self._bucket, Key=self._prefix + path, Range=f"bytes=0-{count - 1}"
        )
        content: bytes = response["Body"].read()
        return content
