"""The container's log: every record of every library as one JSON object a line on standard output."""

import contextvars
import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import ParamSpec, TypeVar

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_P = ParamSpec("_P")
_T = TypeVar("_T")

_FORMATTER = LambdaPowertoolsFormatter(
    log_record_order=["timestamp", "level", "logger", "message"],
    use_rfc3339=True,
    utc=True,
    serialize_stacktrace=False,  # `exception` holds it
    location=None,
)
_LOGGER = logging.getLogger(__name__)


def start_logging() -> None:
    """Begins to log; Python's warnings and the exception that ends the process go the same way."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_FORMATTER)
    handler.addFilter(_prepare)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs addresses that bear signatures
    sys.excepthook = _log_last_words


def bind_job(job_id: str) -> None:
    """Puts the job's id on everything that the calling context logs from here on."""
    _FORMATTER.thread_safe_append_keys(job_id=job_id)


def adopt(*libraries: str) -> None:
    """Takes over from libraries that log by handlers of their own; errors only.

    Their warnings quote prompts, and addresses that bear signatures.
    """
    for name in libraries:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.ERROR)


class ContextThreads(ThreadPoolExecutor):
    """Threads that log in the name of the job that gives them work."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Runs `fn` in a copy of the caller's context."""
        return super().submit(partial(contextvars.copy_context().run, fn, *args, **kwargs))


def _prepare(record: logging.LogRecord) -> bool:
    """Gives the logger's name a key that the formatter lets through, and takes away uvicorn's colours."""
    record.__dict__["logger"] = record.name
    record.__dict__.pop("color_message", None)
    return True


def _log_last_words(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    _LOGGER.critical("the container ends", exc_info=(kind, error, traceback))
