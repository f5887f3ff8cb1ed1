"""Errors of the jobs API."""

from collections.abc import Iterable

from contract.problem import MAX_ECHOED_CHARACTERS, ErrorCode, FieldError, ProblemError


class JobNotFoundError(ProblemError):
    """There is no job with this id."""

    code = ErrorCode.JOB_NOT_FOUND

    def __init__(self, job_id: str) -> None:
        shown = job_id[:MAX_ECHOED_CHARACTERS]
        super().__init__(f"There is no job {shown!r}. Jobs are removed after the retention time.")


class AlreadyTerminalError(ProblemError):
    """The job has already ended."""

    code = ErrorCode.ALREADY_TERMINAL

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(f"The job {job_id!r} has already ended with the status {status}.")


class ModelNotFoundError(ProblemError):
    """No model has this name."""

    code = ErrorCode.MODEL_NOT_FOUND

    def __init__(self, name: str, known: Iterable[str]) -> None:
        detail = f"There is no model {name!r}; use one of {', '.join(known)}."
        super().__init__(detail, errors=(FieldError(pointer="#/model", detail=detail),))


class EndpointUnavailableError(ProblemError):
    """The model's endpoint or the data bucket did not accept the job."""

    code = ErrorCode.ENDPOINT_UNAVAILABLE


class JobExistsError(RuntimeError):
    """Another job has the same id."""


class ForeignResultError(RuntimeError):
    """A completion message names the result of another job."""


class UnreadableDocumentError(RuntimeError):
    """A document in S3 is missing or does not match its schema."""
