"""Job ids and S3 URIs, as types that are safe to build keys from."""

import re
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, Field
from ulid import ULID

_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_INVOCATION_ID = re.compile(rf"({_ULID})-([1-9][0-9]?)")
JobId = Annotated[str, Field(pattern=f"^{_ULID}$", description="A ULID; ids sort by creation time.")]


def new_job_id() -> str:
    """A new job id."""
    return str(ULID())


def created_at(job_id: str) -> float:
    """The creation time of a job id, in seconds since the epoch with millisecond precision."""
    return ULID.from_str(job_id).timestamp


MAX_ATTEMPTS = 2
"""Invocations of a job at most: it is submitted once more if its container went away."""


class InvocationId(NamedTuple):
    """The id of an invocation: SageMaker's inference id, and the name of the response's object in S3."""

    job_id: str
    attempt: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses `{job id}-{attempt}`.

        Raises:
            ValueError: the text is not an invocation id.
        """
        match = _INVOCATION_ID.fullmatch(text)
        if match is None:
            raise ValueError("must look like {job id}-{attempt}")
        return cls(match[1], int(match[2]))

    def __str__(self) -> str:
        return f"{self.job_id}-{self.attempt}"


class S3Location(NamedTuple):
    """Bucket and key of an S3 object."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Parses `s3://bucket/key`.

        Raises:
            ValueError: the text is not an S3 URI.
        """
        scheme, _, path = uri.partition("://")
        bucket, _, key = path.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise ValueError("must look like s3://bucket/key")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


def _check_s3_uri(uri: str) -> str:
    S3Location.parse(uri)
    return uri


S3Uri = Annotated[str, Field(max_length=1100), AfterValidator(_check_s3_uri)]
