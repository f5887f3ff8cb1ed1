"""Lists: models, samplers, adapters, and those that are always empty."""

from collections.abc import Callable
from http import HTTPStatus

from pydantic import BaseModel

from jobs import wiring
from jobs.adapters import Adapter, AdapterType
from jobs.compatibility.automatic1111.lists import (
    EmptyList,
    Nothing,
    WebUiEmbeddings,
    WebUiFlags,
    WebUiLoras,
    WebUiMemory,
    WebUiModels,
    WebUiSamplers,
    WebUiSchedulers,
    WebUiScripts,
    WebUiUpscalers,
    WebUiVaes,
)
from jobs.compatibility.automatic1111.shape import PREFIX
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

_LIMIT = 1000
_EMPTY = (
    "latent-upscale-modes",
    "hypernetworks",
    "face-restorers",
    "realesrgan-models",
    "prompt-styles",
    "script-info",
    "extensions",
)
_UNAVAILABLE = {503: "The models bucket cannot be listed now; try again."}
_REFRESHED = ("checkpoints", "vae", "loras", "embeddings")


def _models(_request: Request) -> Response:
    """Returns the models."""
    return _response(WebUiModels.of(wiring.job_service().catalog))


def _samplers(_request: Request) -> Response:
    """Returns the samplers."""
    return _response(WebUiSamplers.all())


def _schedulers(_request: Request) -> Response:
    """Returns the noise schedules."""
    return _response(WebUiSchedulers.all())


def _upscalers(_request: Request) -> Response:
    """Returns the upscalers: the first 1000 of the models bucket, and those that need no model."""
    return _response(WebUiUpscalers.of(_adapters(AdapterType.UPSCALER)))


def _vaes(_request: Request) -> Response:
    """Returns the first 1000 VAEs of the models bucket."""
    return _response(WebUiVaes.of(_adapters(AdapterType.VAE)))


def _loras(_request: Request) -> Response:
    """Returns the first 1000 LoRAs of the models bucket."""
    return _response(WebUiLoras.of(_adapters(AdapterType.LORA)))


def _embeddings(_request: Request) -> Response:
    """Returns no textual inversions: names in prompts do not select them."""
    return _response(WebUiEmbeddings())


def _scripts(_request: Request) -> Response:
    """Returns the names of the scripts that run with every request."""
    return _response(WebUiScripts())


def _memory(_request: Request) -> Response:
    """Returns that the memory is not known."""
    return _response(WebUiMemory())


def _flags(_request: Request) -> Response:
    """Returns the flags of the web UI's command line."""
    return _response(WebUiFlags())


def _nothing(_request: Request) -> Response:
    """Returns an empty list: there are none."""
    return _response(EmptyList(()))


def _refresh(_request: Request) -> Response:
    """Does nothing: the lists are always current, within 30 s."""
    return _response(Nothing(None))


def _adapters(kind: AdapterType) -> tuple[Adapter, ...]:
    return wiring.adapters().list(kind, limit=_LIMIT).adapters


def _response(view: BaseModel) -> Response:
    return json_response(HTTPStatus.OK, view.model_dump_json())


def _list(
    path: str, handle: Callable[[Request], Response], summary: str, content: type, *, can_fail: bool = False
) -> Operation:
    return Operation(
        id=f"webUi{path.title().replace('-', '')}",
        method="GET",
        path=f"{PREFIX}/{path}",
        handle=handle,
        summary=summary,
        answers=(Answer(status=HTTPStatus.OK, description=f"{summary}.", content=content),),
        problems=_UNAVAILABLE if can_fail else {},
    )


OPERATIONS = (
    _list("sd-models", _models, "The models", WebUiModels),
    _list("samplers", _samplers, "The samplers", WebUiSamplers),
    _list("schedulers", _schedulers, "The noise schedules", WebUiSchedulers),
    _list("upscalers", _upscalers, "The upscalers", WebUiUpscalers, can_fail=True),
    _list("sd-vae", _vaes, "The VAEs", WebUiVaes, can_fail=True),
    _list("loras", _loras, "The LoRAs", WebUiLoras, can_fail=True),
    _list("embeddings", _embeddings, "The textual inversions", WebUiEmbeddings),
    _list("scripts", _scripts, "The scripts", WebUiScripts),
    _list("memory", _memory, "The memory", WebUiMemory),
    _list("cmd-flags", _flags, "The flags of the command line", WebUiFlags),
    *(_list(path, _nothing, "An empty list", EmptyList) for path in _EMPTY),
    *(
        Operation(
            id=f"webUiRefresh{name.capitalize()}",
            method="POST",
            path=f"{PREFIX}/refresh-{name}",
            handle=_refresh,
            summary="Without effect",
            answers=(Answer(status=HTTPStatus.OK, description="Null.", content=Nothing),),
            problems={413: "The body is too large."},
        )
        for name in _REFRESHED
    ),
)
