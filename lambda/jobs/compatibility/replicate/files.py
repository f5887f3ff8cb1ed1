"""Files that clients upload, in Replicate's form."""

import hashlib
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from contract.identifiers import S3Location
from jobs.ports import Link


class ReplicateFile(BaseModel):
    """An uploaded file."""

    id: str
    name: str
    content_type: str = Field(description="The type of the file's content, whatever the request says.")
    size: int
    etag: str
    checksums: dict[str, str]
    metadata: dict[str, Any] = Field(description="Empty: metadata is not stored.")
    created_at: datetime
    expires_at: datetime = Field(
        description="End of the link; as an input, the file works until it is removed."
    )
    urls: dict[str, str] = Field(description="`get`, a link to the file, which inputs may name.")

    @classmethod
    def of(
        cls, uri: str, data: bytes, *, name: str, content_type: str, link: Link, created_at: datetime
    ) -> Self:
        """Creates the view of a stored file.

        Args:
            uri: its `s3://` URI.
            data: its content.
            name: as the client named it.
            content_type: of its content.
            link: to the file.
            created_at: when it was stored.
        """
        digest = hashlib.sha256(data).hexdigest()
        key = S3Location.parse(uri).key
        return cls(
            id=key.rpartition("/")[2].partition(".")[0],
            name=name,
            content_type=content_type,
            size=len(data),
            etag=digest,
            checksums={"sha256": digest},
            metadata={},
            created_at=created_at,
            expires_at=link.expires_at,
            urls={"get": link.url},
        )
