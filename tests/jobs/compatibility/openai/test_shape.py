"""Errors in OpenAI's form."""

import json
from typing import Any

import pytest

from contract.problem import ErrorCode, FieldError, Problem
from jobs.compatibility.openai.shape import OPENAI, error_form
from jobs.http.shape import shape_of


def form(code: ErrorCode, *pointers: str) -> tuple[int, dict[str, Any], str]:
    errors = tuple(FieldError(pointer=pointer, detail="is wrong") for pointer in pointers)
    response = error_form(Problem.of(code, "The detail.", errors=errors))
    return response.status, json.loads(response.body)["error"], response.headers["X-Should-Retry"]


def test_an_invalid_field_is_a_bad_request_that_names_it() -> None:
    assert form(ErrorCode.VALIDATION_FAILED, "#/size", "#/n") == (
        400,
        {
            "message": "The detail.",
            "type": "invalid_request_error",
            "param": "size",
            "code": "validation_failed",
        },
        "false",
    )


@pytest.mark.parametrize(
    ("pointer", "param"), [("#", None), ("#/loras/0/name", "loras/0/name"), ("#/a~1b~0", "a/b~")]
)
def test_the_param_is_the_path_of_the_field(pointer: str, param: str | None) -> None:
    assert form(ErrorCode.VALIDATION_FAILED, pointer)[1]["param"] == param


@pytest.mark.parametrize(
    ("code", "status", "kind", "name", "retry"),
    [
        (ErrorCode.MALFORMED_REQUEST, 400, "invalid_request_error", "malformed_request", "false"),
        (ErrorCode.MODEL_NOT_FOUND, 404, "invalid_request_error", "model_not_found", "false"),
        (ErrorCode.UNAUTHORIZED, 401, "authentication_error", "invalid_api_key", "false"),
        (ErrorCode.FORBIDDEN, 403, "permission_error", "forbidden", "false"),
        (ErrorCode.TOO_MANY_REQUESTS, 429, "rate_limit_error", "rate_limit_exceeded", "true"),
        (ErrorCode.IDEMPOTENCY_IN_FLIGHT, 409, "invalid_request_error", "idempotency_in_flight", "true"),
        (ErrorCode.CANCELED, 409, "invalid_request_error", "canceled", "false"),
        (ErrorCode.OUT_OF_MEMORY, 507, "server_error", "out_of_memory", "false"),
        (ErrorCode.ENDPOINT_UNAVAILABLE, 503, "server_error", "endpoint_unavailable", "true"),
    ],
)
def test_errors_have_openais_types_and_say_whether_the_clients_repeat_the_request(
    code: ErrorCode, status: int, kind: str, name: str, retry: str
) -> None:
    answered, error, should_retry = form(code)
    assert (answered, error["type"], error["code"], should_retry) == (status, kind, name, retry)


def test_the_shape_is_that_of_the_images_paths_only() -> None:
    assert shape_of("/v1/images/generations", [OPENAI]) is OPENAI
    assert shape_of("/v1/jobs", [OPENAI]) is not OPENAI
