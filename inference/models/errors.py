"""The error of a model that cannot be loaded."""

from contract.problem import ErrorCode, ProblemError


class UnusableModelError(ProblemError):
    """A model's files are missing, damaged, unsafe or in an unsupported format; the message names them."""

    code = ErrorCode.MODEL_LOAD_FAILED
