"""HTTP responses: JSON documents, jobs and problem documents."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from contract.problem import CONTENT_TYPE, Problem
from contract.progress import Progress
from jobs.http.views import JobView
from jobs.job import Job
from jobs.service import JobService

_POLL_S = 2


def json_response(status: HTTPStatus, body: str, *, content_type: str = "application/json") -> Response[str]:
    """A response with a JSON document."""
    return Response(status_code=status.value, content_type=content_type, body=body, headers={})


def problem_response(problem: Problem) -> Response[str]:
    """The response for an error."""
    return json_response(HTTPStatus(problem.status), problem.model_dump_json(), content_type=CONTENT_TYPE)


def job_response(
    status: HTTPStatus, service: JobService, job: Job, progress: Progress | None
) -> Response[str]:
    """A job's view; with the header Retry-After while the job is unfinished."""
    view = JobView.of(job, progress, bucket=service.data_bucket_name, presign=service.documents.presign)
    response = json_response(status, view.model_dump_json())
    if not view.status.is_terminal:
        response.headers["Retry-After"] = str(_POLL_S)
    return response
