"""The URIs of input images."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from contract.identifiers import S3Location

MAX_DATA_URL_CHARACTERS = 5_000_000
"""Below the 6 MB limit of a Lambda invocation, which also contains the rest of the request."""

_MAX_URI_CHARACTERS = 2048
_FORMS = "must be s3://bucket/key, https://host/path or data:image/...;base64,..."


def _check_image_uri(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    match scheme.lower():
        case "s3":
            S3Location.parse(uri)
        case "https":
            parts = urlsplit(uri)
            if not parts.hostname:
                raise ValueError(_FORMS)
            if parts.username is not None or parts.password is not None:
                raise ValueError("must not contain a user name or a password")
        case "data":
            return _check_data_url(uri, rest)
        case _:
            raise ValueError(_FORMS)
    if len(uri) > _MAX_URI_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_URI_CHARACTERS} characters")
    return uri


def _check_data_url(url: str, rest: str) -> str:
    media_type, comma, _ = rest.partition(",")
    if not comma or not media_type.startswith("image/") or not media_type.endswith(";base64"):
        raise ValueError(_FORMS)
    if len(url) > MAX_DATA_URL_CHARACTERS:
        raise ValueError(
            f"a data: URL must have at most {MAX_DATA_URL_CHARACTERS:,} characters; upload the file to the "
            "inputs/ prefix of the data bucket and pass its s3:// URI, or pass an https:// address"
        )
    return url


ImageUri = Annotated[
    str, AfterValidator(_check_image_uri), Field(json_schema_extra={"maxLength": MAX_DATA_URL_CHARACTERS})
]
"""An object in S3, an address on the public web, or a data: URL."""
