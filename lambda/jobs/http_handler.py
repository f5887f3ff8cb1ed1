"""API Gateway's side of the jobs API: parse, call, map."""

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

from contract.generation import InvalidRequestError
from contract.problem import CONTENT_TYPE, ErrorCode, Problem, ProblemError
from contract.progress import Progress
from contract.request import JobRequest
from contract.validation import field_errors
from jobs import wiring
from jobs.job import Job
from jobs.service import JobService
from jobs.views import JOBS_PATH, JobView, ModelList, SamplerList

_JSON = "application/json"
_POLL_S = 2

logger = Logger()
app = APIGatewayRestResolver(enable_validation=True)


def _problem_response(description: str) -> OpenAPIResponse:
    return {"description": description, "content": {CONTENT_TYPE: {"model": Problem}}}


_FORBIDDEN = _problem_response("The API key is missing or wrong.")


@app.post(
    JOBS_PATH,
    summary="Submit a job",
    operation_id="submitJob",
    responses={
        202: {
            "description": "The job is queued; its images will be at the URIs.",
            "content": {_JSON: {"model": JobView}},
        },
        400: _problem_response("The body is not a JSON object."),
        403: _FORBIDDEN,
        404: _problem_response("There is no such model."),
        413: _problem_response("The body is too large."),
        422: _problem_response("The request is not valid: `errors` names the fields."),
        503: _problem_response("The model's endpoint did not take the job."),
    },
)
def submit(body: Annotated[JobRequest, Body()]) -> Response[str]:
    """Puts a job on record, hands it to the model's endpoint and answers at once."""
    service = wiring.job_service()
    job = service.submit(body)
    location = f"jobs/{job.id}"  # relative: the stage's name may stand in front of the path
    return _show(HTTPStatus.ACCEPTED, service, job, None, Location=location)


@app.get(
    f"{JOBS_PATH}/<job_id>",
    summary="Follow a job",
    operation_id="getJob",
    responses={
        200: {"description": "The job as it stands.", "content": {_JSON: {"model": JobView}}},
        403: _FORBIDDEN,
        404: _problem_response("There is no such job."),
    },
)
def follow(job_id: Annotated[str, Path()]) -> Response[str]:
    """Shows the job; while it is unfinished, Retry-After says when to ask again."""
    service = wiring.job_service()
    return _show(HTTPStatus.OK, service, *service.follow(job_id))


@app.post(
    f"{JOBS_PATH}/<job_id>/cancel",
    summary="Cancel a job",
    operation_id="cancelJob",
    responses={
        202: {
            "description": "The job will not begin, or stops, unless it is finished sooner.",
            "content": {_JSON: {"model": JobView}},
        },
        403: _FORBIDDEN,
        404: _problem_response("There is no such job."),
        409: _problem_response("The job has already ended."),
        503: _problem_response("The service could not ask the container; ask again."),
    },
)
def cancel(job_id: Annotated[str, Path()]) -> Response[str]:
    """Asks that the job stop; asking again changes nothing. Follow it until its `status` is `canceled`."""
    service = wiring.job_service()
    return _show(HTTPStatus.ACCEPTED, service, *service.cancel(job_id))


@app.get(
    "/v1/models",
    summary="List the models",
    operation_id="listModels",
    responses={
        200: {"description": "Every model.", "content": {_JSON: {"model": ModelList}}},
        403: _FORBIDDEN,
    },
)
def list_models() -> Response[str]:
    """Shows what jobs can name as `model`, with defaults and limits."""
    return _answer(HTTPStatus.OK, ModelList.of(wiring.job_service().catalog).model_dump_json())


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
    """Shows what jobs can name as `sampler`."""
    return _answer(HTTPStatus.OK, SamplerList.all().model_dump_json())


@app.get("/v1/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """Shows this API's description."""
    return _answer(HTTPStatus.OK, openapi_json())


def openapi_json() -> str:
    """The OpenAPI 3.1 document of the routes above."""
    return app.get_openapi_json_schema(
        title="Stable Diffusion Quick Kit",
        version="1.0.0",
        description="Submit a prompt, get its images' S3 URIs at once, follow the job until they are there.",
        security_schemes={"apiKey": APIKey(name="x-api-key", in_=APIKeyIn.header)},
        security=[{"apiKey": []}],
    )


def _on_problem(error: ProblemError) -> Response[str]:
    return _refuse(error.problem(_request_id()))


def _on_invalid_request(error: RequestValidationError) -> Response[str]:
    findings = error.errors()
    if any(finding["type"] == "json_invalid" or finding["loc"] == ("body",) for finding in findings):
        detail = 'Send a JSON object such as {"prompt": "a red circle"}.'
        return _refuse(Problem.of(ErrorCode.MALFORMED_REQUEST, detail, request_id=_request_id()))
    return _on_problem(InvalidRequestError(field_errors(findings)))


def _on_unknown_route(_error: NotFoundError) -> Response[str]:
    detail = "The API is described at /v1/openapi.json."
    return _refuse(Problem.of(ErrorCode.ROUTE_NOT_FOUND, detail, request_id=_request_id()))


def _on_surprise(error: Exception) -> Response[str]:
    logger.error("the request failed", exc_info=error)
    detail = "The service failed; try again, and quote the request id if it persists."
    return _refuse(Problem.of(ErrorCode.INTERNAL, detail, request_id=_request_id()))


for _kind, _answer_to in {
    ProblemError: _on_problem,
    RequestValidationError: _on_invalid_request,
    NotFoundError: _on_unknown_route,
    Exception: _on_surprise,
}.items():
    app.exception_handler(_kind)(_answer_to)


def _request_id() -> str:
    return str(app.current_event.request_context.request_id)


def _refuse(problem: Problem) -> Response[str]:
    return _answer(HTTPStatus(problem.status), problem.model_dump_json(), content_type=CONTENT_TYPE)


def _show(
    status: HTTPStatus, service: JobService, job: Job, progress: Progress | None, **headers: str
) -> Response[str]:
    """A job's view, with when to ask again while it is unfinished."""
    view = JobView.of(job, progress, bucket=service.data_bucket_name, presign=service.documents.presign)
    if not view.status.is_terminal:
        headers["Retry-After"] = str(_POLL_S)
    return _answer(status, view.model_dump_json(), headers=headers)


def _answer(
    status: HTTPStatus, body: str, *, headers: dict[str, str] | None = None, content_type: str = _JSON
) -> Response[str]:
    return Response(
        status_code=status.value, content_type=content_type, body=body, headers=dict(headers or {})
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one request. Whatever content type a client claims, the body is read as JSON."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return app.resolve({**event, "headers": {**headers, "content-type": _JSON}}, context)
