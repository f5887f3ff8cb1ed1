"""Pictures that a request names: where they may come from."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from contract.identifiers import S3Location

MAX_DATA_URL_CHARACTERS = 5_000_000
"""A Lambda function is handed six megabytes at the most, the rest of the request included."""

_MAX_ADDRESS_CHARACTERS = 2048
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
                raise ValueError("must not hold a user name or a password")
        case "data":
            head, comma, _ = rest.partition(",")
            if not comma or not head.startswith("image/") or not head.endswith(";base64"):
                raise ValueError(_FORMS)
            return uri
        case _:
            raise ValueError(_FORMS)
    if len(uri) > _MAX_ADDRESS_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_ADDRESS_CHARACTERS} characters")
    return uri


ImageUri = Annotated[str, Field(max_length=MAX_DATA_URL_CHARACTERS), AfterValidator(_check_image_uri)]
"""An object in S3, a picture on the public web, or the picture itself."""
