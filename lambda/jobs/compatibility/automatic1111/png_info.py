"""The parameters in an image that a client sends."""

import base64
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.document import parse_document
from contract.images import MAX_DATA_URL_CHARACTERS
from contract.validation import validate
from jobs.compatibility.automatic1111.fields import invalid
from jobs.compatibility.automatic1111.infotext import parse_infotext
from jobs.compatibility.automatic1111.png_text import PngError, texts_of

PARAMETERS = "parameters"
"""The keyword of the parameters text."""


class PngInfoRequest(BaseModel):
    """A request for the parameters in an image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Annotated[
        str,
        Field(
            max_length=MAX_DATA_URL_CHARACTERS,
            description="A PNG file in base64, with or without the header of a `data:` URL.",
        ),
    ]


class PngInfo(BaseModel):
    """The texts in an image."""

    info: str = Field(description="The parameters text; empty if there is none.")
    items: dict[str, str] = Field(description="All other texts, by their keywords.")
    parameters: dict[str, str] = Field(description="The prompts and parameters of `info`, by their names.")


def read_png_info(body: str) -> PngInfo:
    """Reads the parameters in the image of a request.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: the image is missing, is not a PNG file, or its texts exceed the limits.
    """
    request = validate(PngInfoRequest, parse_document(body))
    image = request.image.strip()
    content = "".join((image.partition(",")[2] if image.startswith("data:") else image).split())
    try:
        items = texts_of(base64.b64decode(content, validate=True))
    except PngError as error:
        raise invalid("image", f"{error}; only the texts of whole PNG files are read") from error
    except ValueError as error:
        raise invalid("image", "must be a PNG file in base64") from error
    info = items.pop(PARAMETERS, "")
    return PngInfo(info=info, items=items, parameters=parse_infotext(info) if info else {})
