"""Locations of the generated images in S3."""

from collections.abc import Iterable
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from contract.identifiers import S3Location
from contract.keys import output_key
from contract.options import OutputFormat
from contract.problem import FieldError

_MAX_CHARACTERS = 900
"""The rest of S3's limit of 1024 bytes is for the bucket's name, the job's id and the file name."""


def _check_prefix(uri: str) -> str:
    location = S3Location.parse(uri)
    if not location.key.endswith("/"):
        raise ValueError("must be a prefix that ends with a slash, such as s3://bucket/prefix/")
    if any(part in ("", ".", "..") for part in location.key.removesuffix("/").split("/")):
        raise ValueError("must not contain empty parts, . or ..")
    if not uri.isprintable():
        raise ValueError("must not contain control characters")
    return uri


OutputPrefix = Annotated[
    str,
    AfterValidator(_check_prefix),
    Field(
        max_length=_MAX_CHARACTERS,
        description=(
            "S3 prefix for the images, `s3://bucket/prefix/`; they are stored under the job's id there. The "
            "stage's setting `output_prefixes` lists the accepted ones; null: the stage's data bucket."
        ),
        json_schema_extra={"pattern": "^s3://[^/]+/.+/$"},
    ),
]


class HasOutputs(Protocol):
    """The fields of a generation that determine the locations of its images."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...

    @property
    def count(self) -> int:
        """The number of images."""
        ...

    @property
    def output_format(self) -> OutputFormat:
        """The images' format."""
        ...

    @property
    def output_s3_uri(self) -> str | None:
        """See `OutputPrefix`."""
        ...


def output_locations(generation: HasOutputs, data_bucket: str) -> tuple[S3Location, ...]:
    """The location of each image."""
    names = [output_key(generation.id, index, generation.output_format) for index in range(generation.count)]
    if generation.output_s3_uri is None:
        return tuple(S3Location(data_bucket, name) for name in names)
    bucket, prefix = S3Location.parse(generation.output_s3_uri)
    return tuple(S3Location(bucket, prefix + name.partition("/")[2]) for name in names)


def check_output(uri: str | None, allowed: Iterable[str]) -> FieldError | None:
    """The error of an `output_s3_uri` that is not within an allowed prefix; None if there is none."""
    prefixes = tuple(allowed)
    if uri is None or uri.startswith(prefixes):
        return None
    if not prefixes:
        detail = "this stage stores images in its data bucket only; leave it out"
    else:
        accepted = ", ".join(prefixes)
        detail = (
            f"is not below a prefix that this stage accepts ({accepted}); choose one of them, or leave it out"
        )
    return FieldError(pointer="#/output_s3_uri", detail=detail)
