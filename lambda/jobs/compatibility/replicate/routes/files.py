"""Uploads of files."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.generation import InvalidRequestError
from contract.images import IMAGE_MEDIA_TYPES
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from jobs import wiring
from jobs.compatibility.image_files import media_type_of
from jobs.compatibility.replicate.files import ReplicateFile
from jobs.compatibility.replicate.shape import PREFIX
from jobs.http.form import FORM, FormFile, parse_form
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

_CONTENT = "content"
_METADATA = "metadata"


class ReplicateUpload(BaseModel):
    """A form with a file."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[str, Field(description="The file.", json_schema_extra={"format": "binary"})]
    metadata: Annotated[str | None, Field(description="A JSON object; it is not stored.")] = None


def _create_file(request: Request) -> Response:
    """Stores an image of up to 4 MB. Inputs of predictions then name it by the link `urls.get`."""
    file = _content(request)
    media_type = media_type_of(file.data)
    if media_type is None:
        raise _invalid(_CONTENT, "must be one of " + ", ".join(IMAGE_MEDIA_TYPES))
    service = wiring.job_service()
    uri = service.store_upload(file.data, media_type, request.caller)
    view = ReplicateFile.of(
        uri,
        file.data,
        name=file.filename[:MAX_ECHOED_CHARACTERS],
        content_type=media_type,
        link=service.documents.presign(uri),
        created_at=datetime.now(UTC),
    )
    return json_response(HTTPStatus.CREATED, view.model_dump_json())


def _content(request: Request) -> FormFile:
    form = parse_form(request)
    names = [*(file.name for file in form.files), *(name for name, _ in form.texts)]
    for name in names:
        if name not in (_CONTENT, _METADATA):
            raise _invalid(name, f"unknown field; the form has {_CONTENT}, a file, and {_METADATA}")
    contents = [file for file in form.files if file.name == _CONTENT]
    if len(contents) != 1 or names.count(_CONTENT) != 1:
        raise _invalid(_CONTENT, "must be given once, as a file")
    return contents[0]


def _invalid(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=f"#/{name}", detail=detail),))


OPERATIONS = (
    Operation(
        id="createReplicateFile",
        method="POST",
        path=f"{PREFIX}/files",
        handle=_create_file,
        summary="Upload a file",
        body=ReplicateUpload,
        body_media_type=FORM,
        answers=(Answer(status=HTTPStatus.CREATED, description="The stored file.", content=ReplicateFile),),
        problems={
            400: "The body is not a form.",
            413: "The file is too large: send a link to it instead, or use POST /v1/uploads.",
            422: "The file is not an image.",
        },
    ),
)
