"""Lambda handler of the HTTP API: routes requests to the job service and renders its results."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.problem import CONTENT_TYPE, ErrorCode, Problem, ProblemError
from contract.progress import Progress
from contract.request import JobRequest
from contract.validation import invalid_request
from jobs import wiring
from jobs.job import Job
from jobs.service import JobService
from jobs.views import JOBS_PATH, JobView, ModelList, SamplerList

_JSON = "application/json"
_POLL_S = 2

logger = Logger()
app = APIGatewayRestResolver(enable_validation=True)


def _describe_problem(description: str) -> OpenAPIResponse:
    return {"description": description, "content": {CONTENT_TYPE: {"model": Problem}}}


_FORBIDDEN = _describe_problem("The API key is missing or wrong.")


@app.post(
    JOBS_PATH,
    summary="Submit a job",
    operation_id="submitJob",
    responses={
        202: {
            "description": "The job is queued; its images will be stored at `output_s3_uris`.",
            "content": {_JSON: {"model": JobView}},
        },
        400: _describe_problem("The body is not a JSON object."),
        403: _FORBIDDEN,
        404: _describe_problem("There is no such model."),
        413: _describe_problem("The body is too large."),
        422: _describe_problem("The request is not valid: `errors` names the fields."),
        503: _describe_problem("The model's endpoint did not accept the job."),
    },
)
def submit(body: Annotated[JobRequest, Body()]) -> Response[str]:
    """Stores a job, submits it to its model's endpoint and returns without waiting for it."""
    service = wiring.job_service()
    job = service.submit(body)
    location = f"jobs/{job.id}"  # relative, since the path of a stage's URL begins with the stage's name
    return _job_response(HTTPStatus.ACCEPTED, service, job, None, Location=location)


@app.get(
    f"{JOBS_PATH}/<job_id>",
    summary="Follow a job",
    operation_id="getJob",
    responses={
        200: {"description": "The job's current state.", "content": {_JSON: {"model": JobView}}},
        403: _FORBIDDEN,
        404: _describe_problem("There is no such job."),
    },
)
def follow(job_id: Annotated[str, Path()]) -> Response[str]:
    """Returns the job. While it is unfinished, Retry-After is the seconds to wait between requests."""
    service = wiring.job_service()
    return _job_response(HTTPStatus.OK, service, *service.follow(job_id))


@app.post(
    f"{JOBS_PATH}/<job_id>/cancel",
    summary="Cancel a job",
    operation_id="cancelJob",
    responses={
        202: {
            "description": "The job will not start, or will stop, unless it finishes first.",
            "content": {_JSON: {"model": JobView}},
        },
        403: _FORBIDDEN,
        404: _describe_problem("There is no such job."),
        409: _describe_problem("The job has already ended."),
        503: _describe_problem("The cancellation could not be stored; send it again."),
    },
)
def cancel(job_id: Annotated[str, Path()]) -> Response[str]:
    """Requests that the job stop; may be repeated. Follow the job until its `status` is `canceled`."""
    service = wiring.job_service()
    return _job_response(HTTPStatus.ACCEPTED, service, *service.cancel(job_id))


@app.get(
    "/v1/models",
    summary="List the models",
    operation_id="listModels",
    responses={
        200: {"description": "Every deployed model.", "content": {_JSON: {"model": ModelList}}},
        403: _FORBIDDEN,
    },
)
def list_models() -> Response[str]:
    """Returns the accepted values of `model`, with each model's defaults and limits."""
    return _response(HTTPStatus.OK, ModelList.of(wiring.job_service().catalog).model_dump_json())


@app.get(
    "/v1/samplers",
    summary="List the samplers",
    operation_id="listSamplers",
    responses={
        200: {"description": "Every sampler.", "content": {_JSON: {"model": SamplerList}}},
        403: _FORBIDDEN,
    },
)
def list_samplers() -> Response[str]:
    """Returns the accepted values of `sampler`."""
    return _response(HTTPStatus.OK, SamplerList.all().model_dump_json())


@app.get("/v1/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """Returns the API's OpenAPI document."""
    return _response(HTTPStatus.OK, openapi_json())


def openapi_json() -> str:
    """The OpenAPI 3.1 document of the routes above."""
    return app.get_openapi_json_schema(
        title="Stable Diffusion Quick Kit",
        version="1.0.0",
        description=(
            "Submit a prompt, receive the S3 URIs of its images immediately, and follow the job until the "
            "images exist."
        ),
        security_schemes={"apiKey": APIKey(name="x-api-key", in_=APIKeyIn.header)},
        security=[{"apiKey": []}],
    )


def _on_problem(error: ProblemError) -> Response[str]:
    return _problem_response(error.problem(_request_id()))


def _on_invalid_request(error: RequestValidationError) -> Response[str]:
    findings = error.errors()
    if any(finding["type"] == "json_invalid" or finding["loc"] == ("body",) for finding in findings):
        detail = 'Send a JSON object such as {"prompt": "a red circle"}.'
        return _problem_response(Problem.of(ErrorCode.MALFORMED_REQUEST, detail, request_id=_request_id()))
    document = app.current_event.json_body
    return _on_problem(invalid_request(findings, document, wiring.job_service().catalog.find))


def _on_unknown_route(_error: NotFoundError) -> Response[str]:
    detail = "GET /v1/openapi.json returns the API's description."
    return _problem_response(Problem.of(ErrorCode.ROUTE_NOT_FOUND, detail, request_id=_request_id()))


def _on_unexpected_error(error: Exception) -> Response[str]:
    logger.error("the request failed", exc_info=error)
    detail = "The service failed; try again, and report the request id if the error persists."
    return _problem_response(Problem.of(ErrorCode.INTERNAL, detail, request_id=_request_id()))


for _error, _handler in {
    ProblemError: _on_problem,
    RequestValidationError: _on_invalid_request,
    NotFoundError: _on_unknown_route,
    Exception: _on_unexpected_error,
}.items():
    app.exception_handler(_error)(_handler)


def _request_id() -> str:
    return str(app.current_event.request_context.request_id)


def _problem_response(problem: Problem) -> Response[str]:
    return _response(HTTPStatus(problem.status), problem.model_dump_json(), content_type=CONTENT_TYPE)


def _job_response(
    status: HTTPStatus, service: JobService, job: Job, progress: Progress | None, **headers: str
) -> Response[str]:
    """A job's view; with the header Retry-After while the job is unfinished."""
    view = JobView.of(job, progress, bucket=service.data_bucket_name, presign=service.documents.presign)
    if not view.status.is_terminal:
        headers["Retry-After"] = str(_POLL_S)
    return _response(status, view.model_dump_json(), headers=headers)


def _response(
    status: HTTPStatus, body: str, *, headers: dict[str, str] | None = None, content_type: str = _JSON
) -> Response[str]:
    return Response(
        status_code=status.value, content_type=content_type, body=body, headers=dict(headers or {})
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handles one request. The body is parsed as JSON whatever its Content-Type is."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return app.resolve({**event, "headers": {**headers, "content-type": _JSON}}, context)
