"""Problem documents (RFC 9457): the format of errors in HTTP responses and in failed jobs."""

from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

CONTENT_TYPE = "application/problem+json"
MAX_FIELD_ERRORS = 20

MAX_ECHOED_CHARACTERS = 100
"""Longer names and values of a client are cut off in messages."""


class ErrorCode(StrEnum):
    """Stable, machine-readable names of the errors."""

    MALFORMED_REQUEST = "malformed_request"
    VALIDATION_FAILED = "validation_failed"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TOO_MANY_REQUESTS = "too_many_requests"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    JOB_NOT_FOUND = "job_not_found"
    MODEL_NOT_FOUND = "model_not_found"
    ROUTE_NOT_FOUND = "route_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    ENDPOINT_UNAVAILABLE = "endpoint_unavailable"
    MODEL_LOADING = "model_loading"
    MODEL_LOAD_FAILED = "model_load_failed"
    INPUT_FETCH_FAILED = "input_fetch_failed"
    INPUT_IMAGE_TOO_LARGE = "input_image_too_large"
    INVALID_INPUT_IMAGE = "invalid_input_image"
    ADAPTER_NOT_FOUND = "adapter_not_found"
    ADAPTER_UNUSABLE = "adapter_unusable"
    ADAPTERS_UNAVAILABLE = "adapters_unavailable"
    INVALID_OUTPUT = "invalid_output"
    CANCELED = "canceled"
    ALREADY_TERMINAL = "already_terminal"
    JOB_RUNNING = "job_running"
    STILL_RUNNING = "still_running"
    EXPIRED = "expired"
    IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


class _Definition(NamedTuple):
    status: HTTPStatus
    title: str
    retryable: bool


_DEFINITIONS = {
    ErrorCode.MALFORMED_REQUEST: _Definition(HTTPStatus.BAD_REQUEST, "The request is malformed", False),
    ErrorCode.VALIDATION_FAILED: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid", False
    ),
    ErrorCode.UNAUTHORIZED: _Definition(HTTPStatus.UNAUTHORIZED, "The request has no valid token", False),
    ErrorCode.FORBIDDEN: _Definition(HTTPStatus.FORBIDDEN, "The request is not authorized", False),
    ErrorCode.TOO_MANY_REQUESTS: _Definition(
        HTTPStatus.TOO_MANY_REQUESTS, "There are too many requests", True
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: _Definition(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", False
    ),
    ErrorCode.JOB_NOT_FOUND: _Definition(HTTPStatus.NOT_FOUND, "There is no such job", False),
    ErrorCode.MODEL_NOT_FOUND: _Definition(HTTPStatus.NOT_FOUND, "There is no such model", False),
    ErrorCode.ROUTE_NOT_FOUND: _Definition(HTTPStatus.NOT_FOUND, "There is no such route", False),
    ErrorCode.METHOD_NOT_ALLOWED: _Definition(
        HTTPStatus.METHOD_NOT_ALLOWED, "The path does not have this method", False
    ),
    ErrorCode.ENDPOINT_UNAVAILABLE: _Definition(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model's endpoint did not accept the job", True
    ),
    ErrorCode.MODEL_LOADING: _Definition(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model is still being loaded", True
    ),
    ErrorCode.MODEL_LOAD_FAILED: _Definition(
        HTTPStatus.SERVICE_UNAVAILABLE, "The model could not be loaded", False
    ),
    ErrorCode.INPUT_FETCH_FAILED: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image could not be fetched", False
    ),
    ErrorCode.INPUT_IMAGE_TOO_LARGE: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image is too large", False
    ),
    ErrorCode.INVALID_INPUT_IMAGE: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "An input image cannot be used", False
    ),
    ErrorCode.ADAPTER_NOT_FOUND: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such adapter", False
    ),
    ErrorCode.ADAPTER_UNUSABLE: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The adapter does not match the model, or is damaged", False
    ),
    ErrorCode.ADAPTERS_UNAVAILABLE: _Definition(
        HTTPStatus.SERVICE_UNAVAILABLE, "The adapters cannot be listed now", True
    ),
    ErrorCode.INVALID_OUTPUT: _Definition(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The model generated an invalid image", False
    ),
    ErrorCode.CANCELED: _Definition(HTTPStatus.CONFLICT, "The job was canceled", False),
    ErrorCode.ALREADY_TERMINAL: _Definition(HTTPStatus.CONFLICT, "The job has already ended", False),
    ErrorCode.JOB_RUNNING: _Definition(HTTPStatus.CONFLICT, "The job has not ended", True),
    ErrorCode.STILL_RUNNING: _Definition(
        HTTPStatus.SERVICE_UNAVAILABLE, "The images are not finished yet", True
    ),
    ErrorCode.EXPIRED: _Definition(HTTPStatus.GATEWAY_TIMEOUT, "The job was not finished in time", True),
    ErrorCode.IDEMPOTENCY_IN_FLIGHT: _Definition(
        HTTPStatus.CONFLICT, "A request with this Idempotency-Key is being processed", True
    ),
    ErrorCode.IDEMPOTENCY_MISMATCH: _Definition(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used with another request", False
    ),
    ErrorCode.OUT_OF_MEMORY: _Definition(
        HTTPStatus.INSUFFICIENT_STORAGE, "The images do not fit in GPU memory", False
    ),
    ErrorCode.TIMEOUT: _Definition(HTTPStatus.GATEWAY_TIMEOUT, "The images were not generated in time", True),
    ErrorCode.INTERNAL: _Definition(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed", True),
}


class FieldError(BaseModel):
    """An invalid field."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(description="JSON pointer to the field, as a URI fragment: `#/width`.")
    detail: str = Field(description="What is wrong and what is allowed.")


def describe(errors: Iterable[FieldError]) -> str:
    """The errors as one line of text."""
    return "; ".join(f"{error.pointer.removeprefix('#/')}: {error.detail}" for error in errors)


def bound_errors(errors: tuple[FieldError, ...], *, omitted: int = 0) -> tuple[FieldError, ...]:
    """The first `MAX_FIELD_ERRORS` errors, and an entry with the number of the others if there are any.

    Args:
        errors: the errors.
        omitted: the number of errors that are not among them.
    """
    omitted += max(len(errors) - MAX_FIELD_ERRORS, 0)
    shown = errors[:MAX_FIELD_ERRORS]
    return (*shown, FieldError(pointer="#", detail=f"and {omitted} more")) if omitted else shown


class Problem(BaseModel):
    """A problem document."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str = Field(description="Summary of the error code.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="Description of this occurrence and the remedy.")
    code: ErrorCode
    errors: tuple[FieldError, ...] = ()
    retryable: bool = Field(description="Whether the same request may succeed later.")
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
        """A problem with the status, title and retryability of `code`."""
        status, title, retryable = _DEFINITIONS[code]
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
    """Base of the errors whose messages are shown to clients.

    Attributes:
        retry_after_s: when the same request may succeed, in seconds; None if that is not known.
    """

    code: ErrorCode = ErrorCode.INTERNAL
    retry_after_s: int | None = None

    def __init__(
        self, detail: str, *, code: ErrorCode | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the error by its attributes: subclasses have constructors of their own."""
        return _restore, (type(self), self.args, self.__dict__)

    def problem(self, request_id: str | None = None) -> Problem:
        """The problem document of this error."""
        return Problem.of(self.code, self.detail, errors=self.errors, request_id=request_id)


def _restore(kind: type[ProblemError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ProblemError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
