"""A permitted upload as the API shows it."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from jobs.uploads import Upload


class UploadView(BaseModel):
    """A permitted upload of one file."""

    s3_uri: str = Field(description="For `input_image`, `mask_image` and `image`, once the file is uploaded.")
    url: str = Field(description="Address of the `multipart/form-data` POST that uploads the file.")
    fields: dict[str, str] = Field(description="Fields of the form. The file follows them, as `file`.")
    expires_at: datetime = Field(description="End of the permission, within an hour.")

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """Creates the view of an upload."""
        return cls(s3_uri=upload.s3_uri, url=upload.url, fields=upload.fields, expires_at=upload.expires_at)
