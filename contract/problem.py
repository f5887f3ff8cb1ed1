"""Problem documents: the one shape of every error, over HTTP and in a failed job (RFC 9457)."""

from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

CONTENT_TYPE = "application/problem+json"


class ErrorCode(StrEnum):
    """The stable, machine-readable name of what went wrong."""

    MALFORMED_REQUEST = "malformed_request"
    VALIDATION_FAILED = "validation_failed"
    FORBIDDEN = "forbidden"
    TOO_MANY_REQUESTS = "too_many_requests"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    JOB_NOT_FOUND = "job_not_found"
    MODEL_NOT_FOUND = "model_not_found"
    ROUTE_NOT_FOUND = "route_not_found"
    ENDPOINT_UNAVAILABLE = "endpoint_unavailable"
    MODEL_LOADING = "model_loading"
    MODEL_LOAD_FAILED = "model_load_failed"
    INPUT_FETCH_FAILED = "input_fetch_failed"
    INPUT_IMAGE_TOO_LARGE = "input_image_too_large"
    INVALID_INPUT_IMAGE = "invalid_input_image"
    ADAPTER_NOT_FOUND = "adapter_not_found"
    ADAPTER_UNUSABLE = "adapter_unusable"
    INVALID_OUTPUT = "invalid_output"
    CANCELED = "canceled"
    ALREADY_TERMINAL = "already_terminal"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


class _Meaning(NamedTuple):
    status: HTTPStatus
    title: str
    retryable: bool


_MEANINGS = {
    ErrorCode.MALFORMED_REQUEST: _Meaning(HTTPStatus.BAD_REQUEST, "The body is not a JSON object", False),
    ErrorCode.VALIDATION_FAILED: _Meaning(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid", False),
    ErrorCode.FORBIDDEN: _Meaning(HTTPStatus.FORBIDDEN, "The request is not authorized", False),
    ErrorCode.TOO_MANY_REQUESTS: _Meaning(HTTPStatus.TOO_MANY_REQUESTS, "There are too many requests", True),
    ErrorCode.PAYLOAD_TOO_LARGE: _Meaning(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", False
    ),
    ErrorCode.JOB_NOT_FOUND: _Meaning(HTTPStatus.NOT_FOUND, "There is no such job", False),
    ErrorCode.MODEL_NOT_FOUND: _Meaning(HTTPStatus.NOT_FOUND, "There is no such model", False),
    ErrorCode.ROUTE_NOT_FOUND: _Meaning(HTTPStatus.NOT_FOUND, "Nothing answers this method and path", False),
    ErrorCode.ENDPOINT_UNAVAILABLE: _Meaning(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model's endpoint did not take the job", True
    ),
    ErrorCode.MODEL_LOADING: _Meaning(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model is still being loaded", True
    ),
    ErrorCode.MODEL_LOAD_FAILED: _Meaning(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model could not be loaded", False
    ),
    ErrorCode.INPUT_FETCH_FAILED: _Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image could not be fetched", False
    ),
    ErrorCode.INPUT_IMAGE_TOO_LARGE: _Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image is too large", False
    ),
    ErrorCode.INVALID_INPUT_IMAGE: _Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image cannot be used", False
    ),
    ErrorCode.ADAPTER_NOT_FOUND: _Meaning(HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such adapter", False),
    ErrorCode.ADAPTER_UNUSABLE: _Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The adapter does not fit the model, or is damaged", False
    ),
    ErrorCode.INVALID_OUTPUT: _Meaning(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The model has drawn no picture", False
    ),
    ErrorCode.CANCELED: _Meaning(HTTPStatus.CONFLICT, "The job was canceled", False),
    ErrorCode.ALREADY_TERMINAL: _Meaning(HTTPStatus.CONFLICT, "The job has already ended", False),
    ErrorCode.OUT_OF_MEMORY: _Meaning(
        HTTPStatus.INSUFFICIENT_STORAGE, "The images do not fit the accelerator's memory", False
    ),
    ErrorCode.TIMEOUT: _Meaning(HTTPStatus.GATEWAY_TIMEOUT, "The job ran out of time", True),
    ErrorCode.INTERNAL: _Meaning(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed", True),
}


class FieldError(BaseModel):
    """One field and what is wrong with it."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(description="JSON pointer to the field, as a URI fragment: `#/width`.")
    detail: str = Field(description="What is wrong and what is allowed.")


def describe(errors: Iterable[FieldError]) -> str:
    """The errors in one sentence."""
    return "; ".join(f"{error.pointer.removeprefix('#/')}: {error.detail}" for error in errors)


class Problem(BaseModel):
    """An error as the client sees it."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str = Field(description="The same sentence for every occurrence of the code.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="What happened this time and what to do.")
    code: ErrorCode
    errors: tuple[FieldError, ...] = ()
    retryable: bool = Field(description="True when the same request may succeed later.")
    request_id: str | None = None

    @classmethod
    def of(
        cls,
        code: ErrorCode,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
    ) -> Self:
        """The problem with `code`'s status, title and retryability."""
        status, title, retryable = _MEANINGS[code]
        return cls(
            title=title,
            status=status,
            detail=detail,
            code=code,
            errors=errors,
            retryable=retryable,
            request_id=request_id,
        )


class ProblemError(Exception):
    """Base of every failure whose words may reach a client."""

    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(
        self, detail: str, *, code: ErrorCode | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.errors = errors

    def problem(self, request_id: str | None = None) -> Problem:
        """The document that tells a client of this failure."""
        return Problem.of(self.code, self.detail, errors=self.errors, request_id=request_id)
