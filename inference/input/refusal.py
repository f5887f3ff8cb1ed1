"""The error of every picture that cannot be used."""

from inference.contract.problem import ErrorCode, FieldError, ProblemError, describe


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
