"""Lambda handler of the HTTP API: routes requests to the job service and renders its results."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.document import MalformedRequestError, parse_document
from contract.identifiers import JobId
from contract.problem import ErrorCode, ProblemError
from contract.request import JobRequest
from contract.validation import invalid_request
from jobs import wiring
from jobs.errors import JobNotFoundError
from jobs.http.openapi import openapi_document, problem_responses
from jobs.http.request import is_head, normalize
from jobs.http.responses import job_response, json_response, problem_response
from jobs.http.views import JOBS_PATH, JobView, ModelList, SamplerList

_JSON = "application/json"
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

logger = Logger()
app = APIGatewayRestResolver(enable_validation=True, json_body_deserializer=parse_document)


@app.post(
    JOBS_PATH,
    summary="Submit a job",
    operation_id="submitJob",
    responses={
        202: {
            "description": "The job is queued; its images will be stored at `output_s3_uris`.",
            "content": {_JSON: {"model": JobView}},
        },
        **problem_responses(
            {
                400: "The body is not a JSON object, or is nested too deep or has too many values.",
                404: "There is no such model.",
                413: "The body is too large.",
                422: "The request is not valid: `errors` names the fields.",
                503: "The model's endpoint did not accept the job.",
            }
        ),
    },
)
def submit(body: Annotated[JobRequest, Body()]) -> Response[str]:
    """Stores a job, submits it to its model's endpoint and returns without waiting for it."""
    service = wiring.job_service()
    job = service.submit(body)
    response = job_response(HTTPStatus.ACCEPTED, service, job, None)
    # relative, since the path of a stage's URL begins with the stage's name
    response.headers["Location"] = f"jobs/{job.id}"
    return response


@app.get(
    f"{JOBS_PATH}/<job_id>",
    summary="Follow a job",
    operation_id="getJob",
    responses={
        200: {"description": "The job's current state.", "content": {_JSON: {"model": JobView}}},
        **problem_responses({404: "There is no such job."}),
    },
)
def follow(job_id: Annotated[JobId, Path()]) -> Response[str]:
    """Returns the job. While it is unfinished, Retry-After is the seconds to wait between requests."""
    service = wiring.job_service()
    return job_response(HTTPStatus.OK, service, *service.follow(job_id))


@app.post(
    f"{JOBS_PATH}/<job_id>/cancel",
    summary="Cancel a job",
    operation_id="cancelJob",
    responses={
        202: {
            "description": "The job will not start, or will stop, unless it finishes first.",
            "content": {_JSON: {"model": JobView}},
        },
        **problem_responses(
            {
                404: "There is no such job.",
                409: "The job has already ended.",
                413: "The body is too large.",
                503: "The cancellation could not be stored; send it again.",
            }
        ),
    },
)
def cancel(job_id: Annotated[JobId, Path()]) -> Response[str]:
    """Requests that the job stop; may be repeated. Follow the job until its `status` is `canceled`."""
    service = wiring.job_service()
    return job_response(HTTPStatus.ACCEPTED, service, *service.cancel(job_id))


@app.get(
    "/v1/models",
    summary="List the models",
    operation_id="listModels",
    responses={
        200: {"description": "Every deployed model.", "content": {_JSON: {"model": ModelList}}},
        **problem_responses({}),
    },
)
def list_models() -> Response[str]:
    """Returns the accepted values of `model`, with each model's defaults and limits."""
    return json_response(HTTPStatus.OK, ModelList.of(wiring.job_service().catalog).model_dump_json())


@app.get(
    "/v1/samplers",
    summary="List the samplers",
    operation_id="listSamplers",
    responses={
        200: {"description": "Every sampler.", "content": {_JSON: {"model": SamplerList}}},
        **problem_responses({}),
    },
)
def list_samplers() -> Response[str]:
    """Returns the accepted values of `sampler`."""
    return json_response(HTTPStatus.OK, SamplerList.all().model_dump_json())


@app.get("/v1/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """Returns the API's OpenAPI document."""
    return json_response(HTTPStatus.OK, openapi_json())


def openapi_json() -> str:
    """The OpenAPI document of the routes above."""
    return json.dumps(openapi_document(app))


def _refuse_other_methods(path: str, method: str) -> None:
    """Adds responses for the methods that a path does not have: 204 to OPTIONS, 405 to the others."""
    allowed = ", ".join(("GET", "HEAD", "OPTIONS") if method == "GET" else (method, "OPTIONS"))

    def options(**_path_parameters: str) -> Response[str]:
        return Response(status_code=HTTPStatus.NO_CONTENT.value, body="", headers={"Allow": allowed})

    def refuse(**_path_parameters: str) -> Response[str]:
        detail = f"The methods of this path are {allowed}."
        response = _on_problem(ProblemError(detail, code=ErrorCode.METHOD_NOT_ALLOWED))
        response.headers["Allow"] = allowed
        return response

    others = [each for each in _METHODS if each != method]
    app.route(path, method="OPTIONS", include_in_schema=False, enable_validation=False)(options)
    app.route(path, method=others, include_in_schema=False, enable_validation=False)(refuse)


for _path, _method in {
    JOBS_PATH: "POST",
    f"{JOBS_PATH}/<job_id>": "GET",
    f"{JOBS_PATH}/<job_id>/cancel": "POST",
    "/v1/models": "GET",
    "/v1/samplers": "GET",
    "/v1/openapi.json": "GET",
}.items():
    _refuse_other_methods(_path, _method)


def _on_problem(error: ProblemError) -> Response[str]:
    return problem_response(error.problem(_request_id()))


def _on_invalid_request(error: RequestValidationError) -> Response[str]:
    findings = error.errors()
    for finding in findings:
        if finding["loc"][0] == "path":
            return _on_problem(JobNotFoundError(str(finding["input"])))
        if finding["loc"] == ("body",):
            return _on_problem(MalformedRequestError("is empty"))
    document = app.current_event.json_body
    return _on_problem(invalid_request(findings, document, wiring.job_service().catalog.find))


def _on_unknown_route(_error: NotFoundError) -> Response[str]:
    detail = "GET /v1/openapi.json returns the API's description."
    return _on_problem(ProblemError(detail, code=ErrorCode.ROUTE_NOT_FOUND))


def _on_unexpected_error(error: Exception) -> Response[str]:
    logger.error("the request failed", exc_info=error)
    detail = "The service failed; try again, and report the request id if the error persists."
    return _on_problem(ProblemError(detail, code=ErrorCode.INTERNAL))


for _error, _handler in {
    ProblemError: _on_problem,
    RequestValidationError: _on_invalid_request,
    NotFoundError: _on_unknown_route,
    Exception: _on_unexpected_error,
}.items():
    app.exception_handler(_error)(_handler)


def _request_id() -> str:
    return str(app.current_event.request_context.request_id)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handles one request."""
    response = app.resolve(normalize(event), context)
    return {**response, "body": ""} if is_head(event) else response
