"""HTTP responses: JSON documents, problem documents, and their form in API Gateway's proxy integration."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from contract.problem import CONTENT_TYPE, ErrorCode, Problem

JSON = "application/json"
_RETRY_AFTER_S = {
    ErrorCode.ADAPTERS_UNAVAILABLE: 5,
    ErrorCode.ENDPOINT_UNAVAILABLE: 5,
    ErrorCode.IDEMPOTENCY_IN_FLIGHT: 1,
}


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


def problem_response(problem: Problem, **headers: str) -> Response:
    """The response for an error."""
    if problem.code in _RETRY_AFTER_S:
        headers["Retry-After"] = str(_RETRY_AFTER_S[problem.code])
    return Response(
        status=HTTPStatus(problem.status),
        body=problem.model_dump_json(),
        headers={"Content-Type": CONTENT_TYPE, **headers},
    )
