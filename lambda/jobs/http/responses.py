"""HTTP responses: JSON documents, problem documents, and their form in API Gateway's proxy integration."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from contract.problem import CONTENT_TYPE, Problem, ProblemError

JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response.

    Attributes:
        body: empty if there is none.
    """

    status: HTTPStatus
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def for_api_gateway(self) -> dict[str, Any]:
        """The result of the Lambda function."""
        return {
            "statusCode": self.status.value,
            "headers": self.headers,
            "body": self.body,
            "isBase64Encoded": False,
        }


def json_response(status: HTTPStatus, body: str, **headers: str) -> Response:
    """A response with a JSON document."""
    return Response(status=status, body=body, headers={"Content-Type": JSON, **headers})


ProblemForm = Callable[[Problem], Response]
"""Makes the response for an error."""


def problem_response(problem: Problem) -> Response:
    """A problem document."""
    return Response(
        status=HTTPStatus(problem.status),
        body=problem.model_dump_json(),
        headers={"Content-Type": CONTENT_TYPE},
    )


def error_response(error: ProblemError, request_id: str, form: ProblemForm, **headers: str) -> Response:
    """The response for an error in a form, with further headers and the error's Retry-After."""
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    response = form(error.problem(request_id))
    return replace(response, headers=response.headers | headers)
