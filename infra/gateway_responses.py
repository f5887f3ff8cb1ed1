"""API Gateway's own error responses in the problem format (RFC 9457) of the API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from aws_cdk import aws_apigateway as apigateway

from contract.api_keys import HOW_TO_SEND
from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from infra.config import ApiConfig, ApiKeyAuth, CognitoAuth, IamAuth

_TYPES = apigateway.ResponseType


@dataclass(frozen=True)
class _Refusal:
    """The answer to requests that do not reach the function for one reason."""

    construct_id: str
    type: apigateway.ResponseType
    code: ErrorCode
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


_FOR_EVERY_CALLER = (
    _Refusal(
        "Throttled",
        _TYPES.THROTTLED,
        ErrorCode.TOO_MANY_REQUESTS,
        "The request rate is too high; wait and try again.",
        {"Retry-After": "1"},  # the token bucket of the rate limit has tokens again
    ),
    _Refusal("Quota", _TYPES.QUOTA_EXCEEDED, ErrorCode.TOO_MANY_REQUESTS, "The API key's quota is used up."),
    _Refusal(
        "TooLarge",
        _TYPES.REQUEST_TOO_LARGE,
        ErrorCode.PAYLOAD_TOO_LARGE,
        "Upload large images to S3 and pass their s3:// URIs.",
    ),
    _Refusal(
        "Filtered",
        _TYPES.WAF_FILTERED,
        ErrorCode.FORBIDDEN,
        "The firewall refused the request: its path, query, headers or body look like an attack. Change "
        "them, or ask the operator which rule has refused it.",
    ),
    _Refusal(
        "NotFound",
        _TYPES.RESOURCE_NOT_FOUND,
        ErrorCode.ROUTE_NOT_FOUND,
        "GET /v1/openapi.json returns the API's description.",
    ),
    # The status of all refusals of the client that are not among the others.
    _Refusal(
        "Refused",
        _TYPES.DEFAULT_4_XX,
        ErrorCode.MALFORMED_REQUEST,
        "API Gateway cannot process the request: correct its path, query and headers.",
    ),
    _Refusal("Failed", _TYPES.DEFAULT_5_XX, ErrorCode.INTERNAL, "The service failed; try again later."),
)


def add_gateway_responses(rest_api: apigateway.RestApi, config: ApiConfig) -> None:
    """Replaces the bodies of API Gateway's error responses with problem documents, which pages may read."""
    for refusal in (*_FOR_EVERY_CALLER, *_without_access(config.auth)):
        problem = Problem.of(refusal.code, refusal.detail, request_id="$context.requestId")
        headers = {"Content-Type": CONTENT_TYPE, **refusal.headers}
        rest_api.add_gateway_response(
            refusal.construct_id,
            type=refusal.type,
            status_code=str(problem.status),
            response_headers={
                **{name: f"'{value}'" for name, value in headers.items()},
                **_cors(config.allowed_origins),
            },
            templates={"application/json": problem.model_dump_json()},
        )


def _cors(allowed_origins: tuple[str, ...]) -> dict[str, str]:
    """The headers that let pages on other origins read the documents.

    API Gateway cannot compare an origin with several ones. It then names that of the request, whatever it is:
    the documents contain no data, and are the same for everyone.
    """
    if not allowed_origins:
        return {}
    one, *others = allowed_origins
    return {
        "Access-Control-Allow-Origin": "method.request.header.Origin" if others else f"'{one}'",
        "Access-Control-Expose-Headers": "'Retry-After, WWW-Authenticate'",
        "Vary": "'Origin'",
    }


def _without_access(auth: ApiKeyAuth | IamAuth | CognitoAuth) -> Iterator[_Refusal]:
    """The answers to callers that are not authenticated or authorized."""

    def forbidden(construct_id: str, kind: apigateway.ResponseType, detail: str) -> _Refusal:
        return _Refusal(construct_id, kind, ErrorCode.FORBIDDEN, detail)

    match auth:
        case ApiKeyAuth():
            yield forbidden("NoKey", _TYPES.ACCESS_DENIED, HOW_TO_SEND)
            yield forbidden("WrongKey", _TYPES.INVALID_API_KEY, HOW_TO_SEND)
        case IamAuth():
            sign = "Sign the request with AWS credentials (Signature Version 4, service execute-api)."
            yield forbidden("NoRoute", _TYPES.MISSING_AUTHENTICATION_TOKEN, sign)
            yield forbidden("BadSignature", _TYPES.INVALID_SIGNATURE, f"The signature is not valid. {sign}")
            yield forbidden("Expired", _TYPES.EXPIRED_TOKEN, f"The credentials have expired. {sign}")
            yield forbidden(
                "Denied",
                _TYPES.ACCESS_DENIED,
                "The caller's policies do not allow execute-api:Invoke on this API; ask its operator.",
            )
        case CognitoAuth(scopes=scopes):
            kind = f"access token with one of the scopes {', '.join(scopes)}" if scopes else "id token"
            detail = f"Send a valid {kind} of the stage's Cognito user pool in the header Authorization."
            yield _Refusal(
                "NoToken",
                _TYPES.UNAUTHORIZED,
                ErrorCode.UNAUTHORIZED,
                detail,
                {"WWW-Authenticate": "Bearer"},
            )
            yield forbidden("Denied", _TYPES.ACCESS_DENIED, f"The token is not sufficient. {detail}")
        case _:
            assert_never(auth)
