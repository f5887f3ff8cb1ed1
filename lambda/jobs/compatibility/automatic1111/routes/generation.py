"""Text to image and image to image."""

import hashlib
from http import HTTPStatus

from contract.submission import JobSubmission
from jobs import wiring
from jobs.compatibility.automatic1111.answer import WebUiImages
from jobs.compatibility.automatic1111.fields import invalid
from jobs.compatibility.automatic1111.image_to_image import ImageToImageRequest
from jobs.compatibility.automatic1111.request import parse_images_request
from jobs.compatibility.automatic1111.shape import PREFIX
from jobs.compatibility.automatic1111.text_to_image import TextToImageRequest
from jobs.compatibility.field_names import fields_named
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

_WITHHELD = "the deployment's NSFW filter withheld all images; change the prompt or the seed"


def _text_to_image(request: Request) -> Response:
    """Generates images from a prompt, and waits for them at most 25 s.

    If they are not finished by then, the response is 503. The same request, sent again, waits for the same
    images.
    """
    return _generate(request, TextToImageRequest)


def _image_to_image(request: Request) -> Response:
    """Generates images from an image, and waits for them at most 25 s.

    If they are not finished by then, the response is 503. The same request, sent again, waits for the same
    images.
    """
    return _generate(request, ImageToImageRequest)


def _generate(request: Request, kind: type[TextToImageRequest] | type[ImageToImageRequest]) -> Response:
    service, store, caller = wiring.job_service(), wiring.settings_store(), request.caller
    requested = parse_images_request(kind, request.body or "", store.get(caller), service.catalog)
    fingerprint = _fingerprint(requested.submission)
    with (
        fields_named(requested.names),
        wiring.synchronous_service().generated(requested.submission, caller, fingerprint) as job,
    ):
        view = WebUiImages.of(
            job,
            requested.parameters,
            sends_images=requested.sends_images,
            documents=service.documents,
        )
        response = json_response(HTTPStatus.OK, view.model_dump_json())
    if requested.sends_images and not view.images:
        raise invalid("prompt", _WITHHELD)
    if requested.kept is not None:
        store.put(caller, requested.kept)
    return response


def _fingerprint(submission: JobSubmission) -> str:
    return hashlib.sha256(submission.model_dump_json().encode()).hexdigest()


_ANSWERS = (Answer(status=HTTPStatus.OK, description="The images.", content=WebUiImages),)
_PROBLEMS = {
    400: "The body is not a JSON object.",
    404: "There is no such model.",
    409: "The job was canceled.",
    413: "The body is too large, or the images do not fit in a response.",
    422: "The request is not valid: `detail` names the fields.",
    500: "The job has failed.",
    503: "The images are not finished yet, or the endpoint is unavailable; send the request again.",
    504: "The images were not generated in time.",
    507: "The images do not fit in GPU memory.",
}
OPERATIONS = (
    Operation(
        id="webUiTextToImage",
        method="POST",
        path=f"{PREFIX}/txt2img",
        handle=_text_to_image,
        summary="Text to image",
        body=TextToImageRequest,
        answers=_ANSWERS,
        problems=_PROBLEMS,
    ),
    Operation(
        id="webUiImageToImage",
        method="POST",
        path=f"{PREFIX}/img2img",
        handle=_image_to_image,
        summary="Image to image",
        body=ImageToImageRequest,
        answers=_ANSWERS,
        problems=_PROBLEMS,
    ),
)
