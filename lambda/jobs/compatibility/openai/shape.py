"""The paths of OpenAI's API, and the form of its errors."""

from http import HTTPStatus

from pydantic import BaseModel, Field

from contract.api_paths import OPENAI_PATHS
from contract.problem import ErrorCode, Problem
from jobs.http.responses import JSON, Response, json_response
from jobs.http.shape import Shape

SHOULD_RETRY = "X-Should-Retry"
"""A response header: the clients repeat a request or not as it says, whatever the status is."""


class OpenAIError(BaseModel):
    """An error."""

    message: str = Field(description="What happened and what to do.")
    type: str = Field(description="`invalid_request_error`, `rate_limit_error`, `server_error`, ...")
    param: str | None = Field(description="Name of the first invalid field; null if there is none.")
    code: str = Field(description="Stable name of the error, as in the API's own errors.")


class OpenAIErrorBody(BaseModel):
    """The form of all errors."""

    error: OpenAIError


_CODES = {ErrorCode.UNAUTHORIZED: "invalid_api_key", ErrorCode.TOO_MANY_REQUESTS: "rate_limit_exceeded"}
_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def error_form(problem: Problem) -> Response:
    """An error, as the clients read it. Requests that are not valid have the status 400, as at OpenAI."""
    status = HTTPStatus(problem.status)
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST
    error = OpenAIError(
        message=problem.detail,
        type=_TYPES.get(status, "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _INVALID),
        param=_param(problem),
        code=_CODES.get(problem.code, problem.code),
    )
    return error_response(status, error, retryable=problem.retryable)


def error_response(status: HTTPStatus, error: OpenAIError, *, retryable: bool = False) -> Response:
    """The response with an error.

    Args:
        status: of the response.
        error: the error.
        retryable: whether the clients repeat the request by themselves.
    """
    body = OpenAIErrorBody(error=error).model_dump_json()
    return json_response(status, body, **{SHOULD_RETRY: "true" if retryable else "false"})


def invalid_request(message: str, *, param: str | None, code: str) -> Response:
    """The response to a request that cannot be answered as it is."""
    error = OpenAIError(message=message, type=_INVALID, param=param, code=code)
    return error_response(HTTPStatus.BAD_REQUEST, error)


def _param(problem: Problem) -> str | None:
    pointer = problem.errors[0].pointer if problem.errors else "#"
    return pointer.removeprefix("#/").replace("~1", "/").replace("~0", "~") if pointer != "#" else None


_INVALID = "invalid_request_error"

OPENAI = Shape(
    name="OpenAI Images",
    description="The Images API of OpenAI, for its clients: set their base URL to this API's, with `/v1`.",
    paths=OPENAI_PATHS,
    problem_form=error_form,
    problem_model=OpenAIErrorBody,
    problem_media_type=JSON,
    problem_headers=(SHOULD_RETRY,),
)
