"""The operations of OpenAI's Images API."""

import hashlib
from http import HTTPStatus

from jobs import wiring
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.openai.answer import OpenAIImages
from jobs.compatibility.openai.edit import ImageEditRequest, parse_edit
from jobs.compatibility.openai.request import ImageGenerationRequest, RequestedImages, parse_generation
from jobs.compatibility.openai.shape import invalid_request
from jobs.http.form import FORM, parse_form
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response


def _generate(request: Request) -> Response:
    """Generates images of a prompt, and returns them once the job has ended, at most 25 s later.

    A job that takes longer is answered with 503. The clients then send the request again by themselves: as
    long as its answer was not delivered, the same request returns the same job, for a quarter of an hour.
    """
    return _respond(request, parse_generation(request.body or "", wiring.model_names()))


def _edit(request: Request) -> Response:
    """Generates images from an image; with a mask, only its transparent areas.

    Waits as the generation of images does.
    """
    return _respond(request, parse_edit(parse_form(request), wiring.model_names()))


def _respond(request: Request, requested: RequestedImages) -> Response:
    submission = requested.submission
    fingerprint = hashlib.sha256(f"openai\n{submission.model_dump_json()}".encode()).hexdigest()
    service = wiring.synchronous_service()
    with (
        fields_named(requested.names),
        service.generated(submission, request.caller, fingerprint) as job,
    ):
        if all(image.s3_uri is None for image in job.images):
            return invalid_request(
                "The images were withheld by the NSFW filter of this deployment; change the prompt.",
                param="prompt",
                code="content_policy_violation",
            )
        view = OpenAIImages.of(job, requested.response_format, wiring.job_service().documents)
        return json_response(HTTPStatus.OK, view.model_dump_json())


_PROBLEMS = {
    400: "The request is not valid: `param` is the first invalid field. Or all images were withheld.",
    404: "There is no such model.",
    409: "The job was canceled, or an identical request is being processed.",
    413: "The body is too large.",
    500: "The service failed, or the model generated an invalid image.",
    503: "The job has not ended yet, or the model's endpoint did not accept it; send the request again.",
    504: "The job was not finished in time.",
    507: "The images do not fit in GPU memory.",
}
_ANSWERS = (Answer(status=HTTPStatus.OK, description="The images.", content=OpenAIImages),)
OPERATIONS = (
    Operation(
        id="createImage",
        method="POST",
        path="/v1/images/generations",
        handle=_generate,
        summary="Generate images",
        body=ImageGenerationRequest,
        answers=_ANSWERS,
        problems=_PROBLEMS,
    ),
    Operation(
        id="createImageEdit",
        method="POST",
        path="/v1/images/edits",
        handle=_edit,
        summary="Edit an image",
        body=ImageEditRequest,
        body_media_type=FORM,
        answers=_ANSWERS,
        problems=_PROBLEMS,
    ),
)
