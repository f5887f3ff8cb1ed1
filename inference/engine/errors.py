"""Errors of the engine and of input images; each has the error code that clients receive."""

from contract.problem import ErrorCode, FieldError, ProblemError, describe


class OutOfMemoryError(ProblemError):
    """The generation does not fit in GPU memory."""

    code = ErrorCode.OUT_OF_MEMORY


class InvalidOutputError(ProblemError):
    """The generated image is black or not finite."""

    code = ErrorCode.INVALID_OUTPUT


class UnsupportedTaskError(ProblemError):
    """The model does not support a field of the request."""

    code = ErrorCode.VALIDATION_FAILED


class ModelUnavailableError(ProblemError):
    """The model could not be loaded."""

    code = ErrorCode.MODEL_LOAD_FAILED


class AdapterUnusableError(ProblemError):
    """An adapter is damaged, or was made for another model."""

    code = ErrorCode.ADAPTER_UNUSABLE


class EngineClosedError(ProblemError):
    """The engine accepts no more requests."""

    code = ErrorCode.ENDPOINT_UNAVAILABLE


class InputError(ProblemError):
    """An input image cannot be used."""

    def __init__(self, code: ErrorCode, pointer: str, detail: str) -> None:
        """Builds the message from the field and the reason.

        Args:
            code: the kind of error.
            pointer: JSON pointer to the field.
            detail: the reason and the remedy, without the field's name.
        """
        wrong = FieldError(pointer=pointer, detail=detail)
        super().__init__(describe((wrong,)), code=code, errors=(wrong,))
