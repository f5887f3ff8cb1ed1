"""Why a model cannot be used."""

from contract.problem import ErrorCode, ProblemError


class UnusableModelError(ProblemError):
    """A model's files are missing, damaged, dangerous or of an unknown kind; the sentence names them."""

    code = ErrorCode.MODEL_LOAD_FAILED
