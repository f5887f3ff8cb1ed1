import contextvars
import logging
import sys
import threading
import warnings
from datetime import datetime

import pytest

from inference.observability.logs import ContextThreadPool, bind_job, propagate_errors_only
from tests.inference.conftest import Log
from tests.waiting import LIMIT_S


def test_a_record_is_one_line_with_time_level_logger_and_message(log: Log) -> None:
    logging.getLogger("some.library").warning("two\nlines: %s", "日本")
    (line,) = log.lines
    assert line.keys() == {"timestamp", "level", "logger", "message"}
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None
    assert (line["level"], line["logger"], line["message"]) == (
        "WARNING",
        "some.library",
        "two\nlines: 日本",
    )


def test_the_coloured_message_of_uvicorn_is_dropped(log: Log) -> None:
    logging.getLogger("uvicorn.error").info("started", extra={"color_message": "\x1b[36mstarted\x1b[0m"})
    assert log.lines[0].keys() == {"timestamp", "level", "logger", "message"}


def test_urls_of_http_requests_are_not_logged(log: Log) -> None:
    logging.getLogger("httpx2").info("HTTP Request: GET https://bucket/key?X-Amz-Signature=secret")
    assert log.text == ""


def test_an_exception_is_part_of_its_line(log: Log) -> None:
    try:
        _ = {}["gone"]
    except KeyError:
        logging.getLogger("x").exception("it failed")
    (line,) = log.lines
    assert line["exception_name"] == "KeyError"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 'gone'")


def test_warnings_are_logged(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", UserWarning, stacklevel=1)
    (line,) = log.lines
    assert line["logger"] == "py.warnings"
    assert "careful" in line["message"]


def test_an_uncaught_exception_is_logged(log: Log) -> None:
    error = RuntimeError("no such variable")
    sys.excepthook(RuntimeError, error, None)
    (line,) = log.lines
    assert (line["level"], line["exception"]) == ("CRITICAL", "RuntimeError: no such variable")


def test_lines_have_the_id_of_the_job_that_logs_them_on_every_thread(log: Log) -> None:
    """Two jobs use the two threads of one pool at the same time."""
    logger, pool, barrier = logging.getLogger("x"), ContextThreadPool(2), threading.Barrier(2)

    def work(name: str) -> None:
        barrier.wait(LIMIT_S)
        logger.info(name)

    def job(name: str) -> None:
        bind_job(name)
        logger.info(name)
        pool.submit(work, name)

    for name in ("A", "B"):
        contextvars.copy_context().run(job, name)
    pool.shutdown()
    logger.info("none")
    assert [line["message"] for line in log.lines].count("B") == 2
    assert all(line.get("job_id", "none") == line["message"] for line in log.lines)


def test_lines_of_simultaneous_threads_are_not_interleaved(log: Log) -> None:
    with ContextThreadPool(8) as pool:
        for number in range(400):
            pool.submit(logging.getLogger("x").info, "%s", str(number) * 200)
    assert len(log.lines) == 400


def test_only_errors_of_a_library_with_its_own_handlers_are_logged(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    library = logging.getLogger("a_library")
    library.addHandler(logging.StreamHandler())
    library.propagate = False
    propagate_errors_only("a_library")
    logging.getLogger("a_library.module").warning("your prompt was cut off: a red")
    logging.getLogger("a_library.module").error("broken")
    assert [line["message"] for line in log.lines] == ["broken"]
    assert capsys.readouterr().err == ""
