"""API Gateway's own error responses in the problem format (RFC 9457) of the API."""

from aws_cdk import aws_apigateway as apigateway

from contract.problem import CONTENT_TYPE, ErrorCode, Problem

_TYPES = apigateway.ResponseType
_THROTTLED = "Throttled"
_RETRY_AFTER_S = 1
"""The token bucket of the rate limit has tokens again."""


def add_gateway_responses(rest_api: apigateway.RestApi) -> None:
    """Replaces the bodies of API Gateway's error responses with problem documents."""
    for construct_id, kind, code, detail in (
        ("NoKey", _TYPES.INVALID_API_KEY, ErrorCode.FORBIDDEN, "Send a valid API key as x-api-key."),
        ("NoRoute", _TYPES.MISSING_AUTHENTICATION_TOKEN, ErrorCode.ROUTE_NOT_FOUND, "Paths begin with /v1/."),
        (
            _THROTTLED,
            _TYPES.THROTTLED,
            ErrorCode.TOO_MANY_REQUESTS,
            "The request rate is too high; wait and try again.",
        ),
        (
            "Quota",
            _TYPES.QUOTA_EXCEEDED,
            ErrorCode.TOO_MANY_REQUESTS,
            "The quota of the API key is used up.",
        ),
        (
            "TooLarge",
            _TYPES.REQUEST_TOO_LARGE,
            ErrorCode.PAYLOAD_TOO_LARGE,
            "Upload large images to S3 and pass their s3:// URIs.",
        ),
        ("Failed", _TYPES.DEFAULT_5_XX, ErrorCode.INTERNAL, "The service failed; try again later."),
    ):
        problem = Problem.of(code, detail, request_id="$context.requestId")
        headers = {"Content-Type": f"'{CONTENT_TYPE}'"}
        if construct_id == _THROTTLED:
            headers["Retry-After"] = f"'{_RETRY_AFTER_S}'"
        rest_api.add_gateway_response(
            construct_id,
            type=kind,
            status_code=str(problem.status),
            response_headers=headers,
            templates={"application/json": problem.model_dump_json()},
        )
