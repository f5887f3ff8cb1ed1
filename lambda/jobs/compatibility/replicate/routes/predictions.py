"""Predictions."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from contract.validation import validate
from jobs import wiring
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.object_links import ObjectLinks
from jobs.compatibility.replicate.prediction import Prediction, PredictionPage
from jobs.compatibility.replicate.prefer import preferred_wait_s
from jobs.compatibility.replicate.request import (
    INPUT,
    ModelPredictionRequest,
    PredictionRequest,
    RequestedPrediction,
    parse_model_prediction,
    parse_prediction,
)
from jobs.compatibility.replicate.routes.models import (
    MODEL_PARTS,
    MODEL_PATH,
    NO_MODEL,
    requested_model,
)
from jobs.compatibility.replicate.shape import PREFIX, address_of
from jobs.errors import AlreadyTerminalError
from jobs.http.cursor import decode_cursor, encode_cursor
from jobs.http.operation import Answer, Operation
from jobs.http.path import job_id_of
from jobs.http.request import Request
from jobs.http.responses import Response, json_response
from jobs.job import JobFilters, JobSnapshot
from jobs.service import JobService

_PATH = f"{PREFIX}/predictions"
_PAGE = 20


class PredictionListQuery(BaseModel):
    """The query parameters of the list of predictions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: Annotated[
        str | None, Field(max_length=200, description="A part of the `next` of the previous response.")
    ] = None


def _create(request: Request) -> Response:
    """Submits a prediction of the model that `version` or `model` names.

    With `Prefer: wait`, the response is sent once it has ended, at most 25 s later by default.
    """
    service = wiring.job_service()
    links = _links(service)
    return _submit(request, service, parse_prediction(request.body or "", service.catalog, links.uri))


def _create_of_model(request: Request) -> Response:
    """Submits a prediction of the model in the path.

    With `Prefer: wait`, the response is sent once it has ended, at most 25 s later by default.
    """
    service = wiring.job_service()
    links = _links(service)
    requested = parse_model_prediction(request.body or "", requested_model(request), links.uri)
    return _submit(request, service, requested)


def _submit(request: Request, service: JobService, requested: RequestedPrediction) -> Response:
    synchronous = wiring.synchronous_service()
    wait_s = preferred_wait_s(request.headers.get("prefer"), limit_s=synchronous.limit_s)
    with fields_named(requested.names, within=INPUT):
        job = service.submit(requested.submission, request.caller, prediction_address=address_of(request))
    snapshot = JobSnapshot(job=job)
    if wait_s:
        snapshot = synchronous.wait(job.id, request.caller, limit_s=wait_s)
    return _response(HTTPStatus.CREATED, request, service, snapshot, has_waited=wait_s > 0)


def _get(request: Request) -> Response:
    """Returns a prediction."""
    service = wiring.job_service()
    snapshot = service.follow(job_id_of(request), request.caller)
    return _response(HTTPStatus.OK, request, service, snapshot)


def _cancel(request: Request) -> Response:
    """Requests that a prediction stop. One that has ended remains as it is."""
    service, job_id = wiring.job_service(), job_id_of(request)
    try:
        snapshot = service.cancel(job_id, request.caller)
    except AlreadyTerminalError:
        snapshot = service.follow(job_id, request.caller)
    return _response(HTTPStatus.OK, request, service, snapshot)


def _list(request: Request) -> Response:
    """Returns the caller's jobs as predictions, newest first, whichever API they were submitted with."""
    query = validate(PredictionListQuery, request.single_query_values())
    service, address = wiring.job_service(), address_of(request)
    scope = (request.caller.id, "predictions")
    before = None
    if query.cursor is not None:
        before = decode_cursor(query.cursor, secrets=wiring.signing_keys().read(), scope=scope)
    page = service.list(request.caller, JobFilters(), limit=_PAGE, before=before)
    following = None
    if page.last_id is not None:
        cursor = encode_cursor(page.last_id, secrets=wiring.signing_keys().read(), scope=scope)
        following = f"{address}/predictions?cursor={quote(cursor)}"
    link = _links(service).link
    predictions = tuple(Prediction.of(JobSnapshot(job=job), address=address, link=link) for job in page.jobs)
    return json_response(HTTPStatus.OK, PredictionPage(next=following, results=predictions).model_dump_json())


def _links(service: JobService) -> ObjectLinks:
    return ObjectLinks(service.data_bucket_name, service.documents.presign)


def _response(
    status: HTTPStatus,
    request: Request,
    service: JobService,
    snapshot: JobSnapshot,
    *,
    has_waited: bool = False,
) -> Response:
    prediction = Prediction.of(
        snapshot, address=address_of(request), link=_links(service).link, has_waited=has_waited
    )
    return json_response(status, prediction.model_dump_json())


_PREFER = {"Prefer": "`wait` or `wait=SECONDS`: waits for the end, at most 25 s by default."}
_CREATED = (Answer(status=HTTPStatus.CREATED, description="The prediction.", content=Prediction),)
_NO_PREDICTION = "There is no such prediction."
_SUBMISSION_PROBLEMS = {
    400: "The body is not a JSON object.",
    404: NO_MODEL,
    413: "The body is too large: upload the images.",
    422: "The request is not valid: `errors` names the fields.",
    503: "The model's endpoint did not accept the job; try again.",
}
OPERATIONS = (
    Operation(
        id="createPrediction",
        method="POST",
        path=_PATH,
        handle=_create,
        summary="Create a prediction",
        body=PredictionRequest,
        headers=_PREFER,
        answers=_CREATED,
        problems=_SUBMISSION_PROBLEMS,
    ),
    Operation(
        id="createModelPrediction",
        method="POST",
        path=f"{MODEL_PATH}/predictions",
        path_types=MODEL_PARTS,
        handle=_create_of_model,
        summary="Create a prediction of a model",
        body=ModelPredictionRequest,
        headers=_PREFER,
        answers=_CREATED,
        problems=_SUBMISSION_PROBLEMS,
    ),
    Operation(
        id="listPredictions",
        method="GET",
        path=_PATH,
        handle=_list,
        summary="List predictions",
        query=PredictionListQuery,
        answers=(Answer(status=HTTPStatus.OK, description="A part of the list.", content=PredictionPage),),
        problems={422: "A query parameter is unknown or invalid: `errors` names it."},
    ),
    Operation(
        id="getPrediction",
        method="GET",
        path=f"{_PATH}/{{job_id}}",
        handle=_get,
        summary="Get a prediction",
        answers=(Answer(status=HTTPStatus.OK, description="The prediction.", content=Prediction),),
        problems={404: _NO_PREDICTION},
    ),
    Operation(
        id="cancelPrediction",
        method="POST",
        path=f"{_PATH}/{{job_id}}/cancel",
        handle=_cancel,
        summary="Cancel a prediction",
        answers=(Answer(status=HTTPStatus.OK, description="The prediction.", content=Prediction),),
        problems={
            404: _NO_PREDICTION,
            413: "The body is too large.",
            503: "The cancellation could not be stored; send it again.",
        },
    ),
)
