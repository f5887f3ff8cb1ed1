"""Job ids and S3 URIs, as types that are safe to build keys from."""

from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, Field
from ulid import ULID

JobId = Annotated[
    str,
    Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$", description="A ULID: sorts by time of creation."),
]


def new_job_id() -> str:
    """A fresh job id."""
    return str(ULID())


def created_at(job_id: str) -> float:
    """When a job id was made: seconds since the epoch, to the millisecond."""
    return ULID.from_str(job_id).timestamp


class S3Location(NamedTuple):
    """One S3 object."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """The location that `s3://bucket/key` names.

        Raises:
            ValueError: the text is no such URI.
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
