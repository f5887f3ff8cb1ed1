"""The time limit of jobs: a job fails shortly before SageMaker gives up on its invocation."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from contract.problem import ErrorCode, ProblemError
from inference.invocation.running_jobs import CancelScope

_MARGIN_S = 5
"""For the error to reach SageMaker, whose own failure would have no reason."""


class JobTimeoutError(ProblemError):
    """The images were not generated in time."""

    code = ErrorCode.TIMEOUT


@contextmanager
def time_limit(scope: CancelScope, invocation_timeout_s: float) -> Iterator[None]:
    """Cancels the scope with a JobTimeoutError unless the block ends in time.

    Args:
        scope: of the job; this context is entered when the job starts.
        invocation_timeout_s: after which SageMaker gives up.
    """
    seconds = max(1.0, invocation_timeout_s - _MARGIN_S)
    error = JobTimeoutError(
        f"The images were not generated within {seconds:g} seconds; request fewer or smaller images or fewer "
        "steps, or send the request again when the endpoint is less busy."
    )
    timer = asyncio.get_running_loop().call_later(seconds, scope.cancel, error)
    try:
        yield
    finally:
        timer.cancel()
