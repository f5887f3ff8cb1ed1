"""What can go wrong with a job."""

from collections.abc import Iterable

from contract.problem import ErrorCode, FieldError, ProblemError


class JobNotFoundError(ProblemError):
    """There is no job with this id."""

    code = ErrorCode.JOB_NOT_FOUND

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}; it may have been removed after its retention time.")


class AlreadyTerminalError(ProblemError):
    """The job has ended."""

    code = ErrorCode.ALREADY_TERMINAL

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(f"The job {job_id!r} has ended already: it is {status}.")


class ModelNotFoundError(ProblemError):
    """No model has this name."""

    code = ErrorCode.MODEL_NOT_FOUND

    def __init__(self, name: str, known: Iterable[str]) -> None:
        detail = f"There is no model {name!r}; use one of {', '.join(known)}."
        super().__init__(detail, errors=(FieldError(pointer="#/model", detail=detail),))


class HandoverError(ProblemError):
    """The job could not be handed to its model's endpoint."""

    code = ErrorCode.ENDPOINT_UNAVAILABLE


class JobExistsError(RuntimeError):
    """The id is taken by another job."""


class UnreadableAnswerError(RuntimeError):
    """What SageMaker stored is not there, or is not the document it should be."""
