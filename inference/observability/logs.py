"""Structured logging: each record of every library is one JSON object per line on standard output."""

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
    """Configures the root logger, Python's warnings and the hook for uncaught exceptions."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_FORMATTER)
    handler.addFilter(_adapt_record)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # at INFO it logs URLs with signatures
    sys.excepthook = _log_uncaught_exception


def bind_job(job_id: str) -> None:
    """Adds `job_id` to every record that is logged in the current context from now on."""
    _FORMATTER.thread_safe_append_keys(job_id=job_id)


def propagate_errors_only(*libraries: str) -> None:
    """Sends the errors of libraries that install their own log handlers to the root logger.

    Lower levels are dropped: these libraries' warnings quote prompts and URLs with signatures.
    """
    for name in libraries:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.ERROR)


class ContextThreadPool(ThreadPoolExecutor):
    """A thread pool whose calls run in a copy of the submitter's context, so that they log its job id."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """See `ThreadPoolExecutor.submit`."""
        return super().submit(partial(contextvars.copy_context().run, fn, *args, **kwargs))


def _adapt_record(record: logging.LogRecord) -> bool:
    """Copies the logger's name to a key that the formatter prints, and removes uvicorn's coloured message."""
    record.__dict__["logger"] = record.name
    record.__dict__.pop("color_message", None)
    return True


def _log_uncaught_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    _LOGGER.critical("uncaught exception; the container exits", exc_info=(kind, error, traceback))
