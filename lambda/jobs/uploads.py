"""Uploads of input images."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from ulid import ULID

from contract.identifiers import S3Location
from contract.images import ImageMediaType

MAX_UPLOAD_BYTES = 25 * 1024 * 1024
"""The container's limit for an input image."""


class UploadRequest(BaseModel):
    """A request to upload a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    content_type: ImageMediaType = Field(description="Media type of the file.")
    size: int = Field(ge=1, le=MAX_UPLOAD_BYTES, description="Size of the file in bytes.")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A permitted upload.

    Attributes:
        s3_uri: the URI of the file, once it is uploaded.
        url: the address of the multipart/form-data POST.
        fields: the form's fields, which precede the field `file`.
        expires_at: the end of the permission.
    """

    s3_uri: str
    url: str
    fields: dict[str, str]
    expires_at: datetime


def new_upload_location(bucket: str, prefix: str, upload: UploadRequest) -> S3Location:
    """A new location for a file."""
    extension = upload.content_type.rpartition("/")[2]
    return S3Location(bucket, f"{prefix}{ULID()}.{extension}")
