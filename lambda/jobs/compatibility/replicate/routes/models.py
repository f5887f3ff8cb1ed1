"""Models and their versions."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from contract.model import ModelDeclaration
from jobs import wiring
from jobs.compatibility.replicate.models import (
    ReplicateModel,
    ReplicateModelPage,
    ReplicateVersion,
    ReplicateVersionPage,
    find_model,
    find_version,
)
from jobs.compatibility.replicate.shape import PREFIX, address_of
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

MODEL_PATH = f"{PREFIX}/models/{{owner}}/{{name}}"
MODEL_PARTS: dict[str, Any] = {
    "owner": Annotated[str, Field(description="Any name.")],
    "name": Annotated[str, Field(description="Name of the model.")],
}
_VERSION_PARTS = MODEL_PARTS | {"version": Annotated[str, Field(description="Version or name of the model.")]}
NO_MODEL = "There is no such model."


def requested_model(request: Request) -> ModelDeclaration:
    """The model of a path.

    Raises:
        ModelNotFoundError: there is none.
    """
    return find_model(wiring.job_service().catalog, request.path_parameters["name"])


def _list_models(request: Request) -> Response:
    """Returns all models."""
    address = address_of(request)
    models = tuple(ReplicateModel.of(model, address=address) for model in wiring.job_service().catalog)
    return json_response(HTTPStatus.OK, ReplicateModelPage(results=models).model_dump_json())


def _get_model(request: Request) -> Response:
    """Returns a model with its only version."""
    model, owner = requested_model(request), request.path_parameters["owner"]
    view = ReplicateModel.of(model, address=address_of(request), owner=owner)
    return json_response(HTTPStatus.OK, view.model_dump_json())


def _list_versions(request: Request) -> Response:
    """Returns the only version of a model."""
    view = ReplicateVersionPage(results=(ReplicateVersion.of(requested_model(request)),))
    return json_response(HTTPStatus.OK, view.model_dump_json())


def _get_version(request: Request) -> Response:
    """Returns a version of a model."""
    model, version = requested_model(request), request.path_parameters["version"]
    found = find_version(wiring.job_service().catalog, f"{model.name}:{version}")
    return json_response(HTTPStatus.OK, ReplicateVersion.of(found).model_dump_json())


OPERATIONS = (
    Operation(
        id="listReplicateModels",
        method="GET",
        path=f"{PREFIX}/models",
        handle=_list_models,
        summary="List the models",
        answers=(Answer(status=HTTPStatus.OK, description="All models.", content=ReplicateModelPage),),
    ),
    Operation(
        id="getReplicateModel",
        method="GET",
        path=MODEL_PATH,
        path_types=MODEL_PARTS,
        handle=_get_model,
        summary="Get a model",
        answers=(Answer(status=HTTPStatus.OK, description="The model.", content=ReplicateModel),),
        problems={404: NO_MODEL},
    ),
    Operation(
        id="listReplicateVersions",
        method="GET",
        path=f"{MODEL_PATH}/versions",
        path_types=MODEL_PARTS,
        handle=_list_versions,
        summary="List the versions of a model",
        answers=(Answer(status=HTTPStatus.OK, description="Its version.", content=ReplicateVersionPage),),
        problems={404: NO_MODEL},
    ),
    Operation(
        id="getReplicateVersion",
        method="GET",
        path=f"{MODEL_PATH}/versions/{{version}}",
        path_types=_VERSION_PARTS,
        handle=_get_version,
        summary="Get a version of a model",
        answers=(Answer(status=HTTPStatus.OK, description="The version.", content=ReplicateVersion),),
        problems={404: NO_MODEL},
    ),
)
