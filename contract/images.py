"""The URIs of input images."""

import re
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from contract.identifiers import S3Location

ImageMediaType = Literal[
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/avif",
    "image/heic",
    "image/heif",
]
"""The media types that a data: URL and an upload may have."""

IMAGE_MEDIA_TYPES: tuple[str, ...] = get_args(ImageMediaType)

MAX_DATA_URL_CHARACTERS = 5_000_000
"""Below the 6 MB limit of a Lambda invocation, which also contains the rest of the request."""

_MAX_URI_CHARACTERS = 2048
_FORMS = "must be s3://bucket/key, https://host/path or data:image/...;base64,..."
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_PATTERN = (
    f"^(s3://[^/]+/.+|[Hh][Tt][Tt][Pp][Ss]://.+|[Dd][Aa][Tt][Aa]:({'|'.join(IMAGE_MEDIA_TYPES)});base64,)"
)
"""Of the schema only: it allows some URIs that the validator refuses, but refuses none that it accepts."""


def _check_image_uri(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "data":
        return _check_data_url(uri, rest)
    if len(uri) > _MAX_URI_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_URI_CHARACTERS} characters")
    if _CONTROL_CHARACTER.search(uri):
        raise ValueError("must not contain control characters")
    match scheme.lower():
        case "s3":
            S3Location.parse(uri)
        case "https":
            parts = urlsplit(uri)
            if not parts.hostname:
                raise ValueError(_FORMS)
            if parts.username is not None or parts.password is not None:
                raise ValueError("must not contain a user name or a password")
        case _:
            raise ValueError(_FORMS)
    return uri


def _check_data_url(url: str, rest: str) -> str:
    header, comma, _ = rest.partition(",")
    if not comma or header not in {f"{media_type};base64" for media_type in IMAGE_MEDIA_TYPES}:
        raise ValueError(
            "a data: URL must look like data:TYPE;base64,..., where TYPE is one of "
            + ", ".join(IMAGE_MEDIA_TYPES)
        )
    if len(url) > MAX_DATA_URL_CHARACTERS:
        raise ValueError(
            f"a data: URL must have at most {MAX_DATA_URL_CHARACTERS:,} characters; upload the file to the "
            "inputs/ prefix of the data bucket and pass its s3:// URI, or pass an https:// address"
        )
    return url


ImageUri = Annotated[
    str,
    AfterValidator(_check_image_uri),
    Field(json_schema_extra={"minLength": 8, "maxLength": MAX_DATA_URL_CHARACTERS, "pattern": _PATTERN}),
]
"""An object in S3, an address on the public web, or a data: URL."""
