"""The paths of the page's API, and the form of its errors."""

from http import HTTPStatus

from contract.api_paths import QUICK_KIT_PATHS
from contract.problem import Problem
from jobs.compatibility.quick_kit.task import TaskError, TaskStatus
from jobs.http.responses import JSON, Response, json_response
from jobs.http.shape import Shape


def error_form(problem: Problem) -> Response:
    """An error, as the page reads it: it stops asking for a task whose status is not `Pending`."""
    status = TaskStatus.PENDING if problem.retryable else TaskStatus.FAILED
    error = TaskError(status=status, msg=problem.detail)
    return json_response(HTTPStatus(problem.status), error.model_dump_json())


QUICK_KIT = Shape(
    name="Quick Kit",
    description="The API of the Stable Diffusion Quick Kit of AWS samples, for its page.",
    paths=QUICK_KIT_PATHS,
    problem_form=error_form,
    problem_model=TaskError,
    problem_media_type=JSON,
)
