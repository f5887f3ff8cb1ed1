"""What the engine and the inputs raise; the server maps each to a status and an error code."""

from contract.problem import ErrorCode, FieldError, ProblemError, describe


class OutOfMemoryError(ProblemError):
    """The accelerator's memory does not hold the generation."""

    code = ErrorCode.OUT_OF_MEMORY


class InvalidOutputError(ProblemError):
    """What has been drawn is no picture."""

    code = ErrorCode.INVALID_OUTPUT


class UnsupportedTaskError(ProblemError):
    """The model cannot do what the generation asks for."""

    code = ErrorCode.VALIDATION_FAILED


class ModelUnavailableError(ProblemError):
    """A model that is served could not be loaded."""

    code = ErrorCode.MODEL_LOAD_FAILED


class AdapterUnusableError(ProblemError):
    """An adapter is damaged, or made for another model."""

    code = ErrorCode.ADAPTER_UNUSABLE


class EngineClosedError(ProblemError):
    """The engine is being shut down."""

    code = ErrorCode.ENDPOINT_UNAVAILABLE


class InputError(ProblemError):
    """A picture that a request names cannot be used."""

    def __init__(self, code: ErrorCode, pointer: str, detail: str) -> None:
        """Takes why it cannot be used.

        Args:
            code: the sort of reason.
            pointer: JSON pointer to the field.
            detail: what is wrong and what to do, without the field's name.
        """
        wrong = FieldError(pointer=pointer, detail=detail)
        super().__init__(describe((wrong,)), code=code, errors=(wrong,))
