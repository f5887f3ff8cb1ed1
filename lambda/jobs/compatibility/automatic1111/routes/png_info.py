"""The parameters in an image."""

from http import HTTPStatus

from jobs.compatibility.automatic1111.png_info import PngInfo, PngInfoRequest, read_png_info
from jobs.compatibility.automatic1111.shape import PREFIX
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response


def _png_info(request: Request) -> Response:
    """Returns the texts in a PNG file: its parameters, and others such as `generation`."""
    return json_response(HTTPStatus.OK, read_png_info(request.body or "").model_dump_json())


OPERATIONS = (
    Operation(
        id="webUiPngInfo",
        method="POST",
        path=f"{PREFIX}/png-info",
        handle=_png_info,
        summary="The parameters in an image",
        body=PngInfoRequest,
        answers=(Answer(status=HTTPStatus.OK, description="The texts.", content=PngInfo),),
        problems={
            400: "The body is not a JSON object.",
            413: "The body is too large.",
            422: "The image is not a PNG file.",
        },
    ),
)
