"""The options: the caller's settings."""

from http import HTTPStatus

from jobs import wiring
from jobs.compatibility.automatic1111.lists import Nothing
from jobs.compatibility.automatic1111.options import WebUiOptions, WebUiOptionsUpdate, parse_options
from jobs.compatibility.automatic1111.shape import PREFIX
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

_PATH = f"{PREFIX}/options"
_NO_CONTENT = "null"


def _get(request: Request) -> Response:
    """Returns the caller's settings."""
    settings, catalog = wiring.settings_store().get(request.caller), wiring.job_service().catalog
    return json_response(HTTPStatus.OK, WebUiOptions.of(settings, catalog).model_dump_json())


def _set(request: Request) -> Response:
    """Changes settings of the caller, which are kept for 30 days. Those of other callers remain."""
    store, catalog = wiring.settings_store(), wiring.job_service().catalog
    current = store.get(request.caller)
    changed = parse_options(request.body or "", current, catalog)
    if changed != current:
        store.put(request.caller, changed)
    return json_response(HTTPStatus.OK, _NO_CONTENT)


OPERATIONS = (
    Operation(
        id="webUiOptions",
        method="GET",
        path=_PATH,
        handle=_get,
        summary="The caller's settings",
        answers=(Answer(status=HTTPStatus.OK, description="The settings.", content=WebUiOptions),),
    ),
    Operation(
        id="webUiSetOptions",
        method="POST",
        path=_PATH,
        handle=_set,
        summary="Change the caller's settings",
        body=WebUiOptionsUpdate,
        answers=(Answer(status=HTTPStatus.OK, description="Null.", content=Nothing),),
        problems={
            400: "The body is not a JSON object.",
            404: "There is no such model.",
            413: "The body is too large.",
            422: "A setting is not available: `detail` names it.",
        },
    ),
)
