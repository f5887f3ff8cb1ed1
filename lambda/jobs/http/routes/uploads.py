"""Uploads of input images."""

from http import HTTPStatus

from contract.document import parse_document
from contract.validation import validate
from jobs import wiring
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.http.views.upload import UploadView
from jobs.uploads import UploadRequest


def _create_upload(request: Request) -> Response:
    """Permits the upload of one file with this media type and size.

    Send the file as a form (`multipart/form-data`) to `url`, then use `s3_uri` as an input image.
    """
    upload = validate(UploadRequest, parse_document(request.body or ""))
    permitted = wiring.job_service().create_upload(upload, request.caller)
    return json_response(HTTPStatus.CREATED, UploadView.of(permitted).model_dump_json())


OPERATIONS = (
    Operation(
        id="createUpload",
        method="POST",
        path="/v1/uploads",
        handle=_create_upload,
        summary="Upload an input image",
        body=UploadRequest,
        answers=(
            Answer(
                status=HTTPStatus.CREATED,
                description="The form that uploads the file.",
                content=UploadView,
            ),
        ),
        problems={
            400: "The body is not a JSON object.",
            413: "The body is too large.",
            422: "The request is not valid: `errors` names the fields.",
        },
    ),
)
