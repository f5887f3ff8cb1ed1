"""Files that the page uploads."""

import base64
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.document import parse_document
from contract.generation import InvalidRequestError
from contract.images import IMAGE_MEDIA_TYPES, MAX_DATA_URL_CHARACTERS, ImageMediaType
from contract.problem import FieldError
from contract.validation import validate
from jobs.compatibility.image_files import media_type_of


class PageUpload(BaseModel):
    """A file of the page's form."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    imageName: Annotated[str, Field(max_length=255, description="Name of the file; without effect.")]  # noqa: N815
    imageData: Annotated[  # noqa: N815
        str,
        Field(min_length=1, max_length=MAX_DATA_URL_CHARACTERS, description="The file in base64."),
    ]


class UploadedImage(BaseModel):
    """The answer to an upload."""

    upload_file: str = Field(description="Link to the file, for `input_image`.")


def parse_upload(body: str) -> tuple[bytes, ImageMediaType]:
    """The content and the media type of an uploaded image.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: fields are invalid, or the file is not an image; the error names the field.
    """
    upload = validate(PageUpload, parse_document(body))
    try:
        data = base64.b64decode(upload.imageData, validate=True)
    except ValueError:
        raise _invalid("must be a file in base64, without spaces or line breaks") from None
    media_type = media_type_of(data)
    if media_type is None:
        raise _invalid("must be one of " + ", ".join(IMAGE_MEDIA_TYPES))
    return data, media_type


def _invalid(detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer="#/imageData", detail=detail),))
