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


class JobRunningError(ProblemError):
    """The job has not ended."""

    code = ErrorCode.JOB_RUNNING

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(
            f"The job {job_id!r} is {status}. Wait until it has ended, or cancel it, and delete it then."
        )


class IdempotencyInFlightError(ProblemError):
    """Another request with the same Idempotency-Key is being processed."""

    code = ErrorCode.IDEMPOTENCY_IN_FLIGHT
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is being processed; try again later.")


class IdempotencyMismatchError(ProblemError):
    """The Idempotency-Key was used with another body."""

    code = ErrorCode.IDEMPOTENCY_MISMATCH

    def __init__(self) -> None:
        super().__init__(
            "The Idempotency-Key was used for another request in the last 24 hours; use a new key for each "
            "job."
        )


class ModelNotFoundError(ProblemError):
    """No model has this name."""

    code = ErrorCode.MODEL_NOT_FOUND

    def __init__(self, name: str, known: Iterable[str]) -> None:
        detail = f"There is no model {name!r}; use one of {', '.join(known)}."
        super().__init__(detail, errors=(FieldError(pointer="#/model", detail=detail),))


class EndpointUnavailableError(ProblemError):
    """The model's endpoint or the data bucket did not accept the job."""

    code = ErrorCode.ENDPOINT_UNAVAILABLE
    retry_after_s = 5


class AdaptersUnavailableError(ProblemError):
    """The adapters in the models bucket cannot be listed now."""

    code = ErrorCode.ADAPTERS_UNAVAILABLE
    retry_after_s = 5

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; try again later.")


class StillRunningError(ProblemError):
    """The job that a request waits for has not ended within the time that a request may take."""

    code = ErrorCode.STILL_RUNNING

    def __init__(self, job_id: str, retry_after_s: int) -> None:
        super().__init__(
            f"The job {job_id} has not ended yet; it goes on. Send the same request again after "
            f"{retry_after_s} s: it joins this job."
        )
        self.retry_after_s = retry_after_s


class UnconfirmedInvocationError(RuntimeError):
    """The endpoint's answer was lost: whether it accepted the invocation is unknown."""


class ConcurrentChangeError(RuntimeError):
    """A record was changed by others again and again."""


class RecordTooLargeError(RuntimeError):
    """A job's record exceeds the limit of the table."""


class FileTooLargeError(RuntimeError):
    """A file in S3 is larger than its reader accepts."""


class UnreadableDocumentError(RuntimeError):
    """A document in S3 is missing or does not match its schema."""
