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


def test_an_exception_is_part_of_its_line(log: Log) -> None:
    try:
        _ = {}["gone"]
    except KeyError:
        logging.getLogger("x").exception("it failed")
    (line,) = log.lines
    assert line["exception_name"] == "KeyError"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 'gone'")


def test_warnings_go_the_same_way(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("careful", UserWarning, stacklevel=1)
    (line,) = log.lines
    assert line["logger"] == "py.warnings"
    assert "careful" in line["message"]


def test_what_ends_the_process_is_logged(log: Log) -> None:
    error = RuntimeError("no such variable")
    sys.excepthook(RuntimeError, error, None)
    (line,) = log.lines
    assert (line["level"], line["exception"]) == ("CRITICAL", "RuntimeError: no such variable")


def test_a_job_is_on_its_own_lines_on_every_thread_and_on_no_others(log: Log) -> None:
    """Two jobs share two threads, both at work at once."""
    logger, threads, together = logging.getLogger("x"), ContextThreadPool(2), threading.Barrier(2)

    def work(name: str) -> None:
        together.wait(LIMIT_S)
        logger.info(name)

    def job(name: str) -> None:
        bind_job(name)
        logger.info(name)
        threads.submit(work, name)

    for name in ("A", "B"):
        contextvars.copy_context().run(job, name)
    threads.shutdown()
    logger.info("none")
    assert [line["message"] for line in log.lines].count("B") == 2
    assert all(line.get("job_id", "none") == line["message"] for line in log.lines)


def test_lines_of_many_threads_do_not_mix(log: Log) -> None:
    with ContextThreadPool(8) as threads:
        for number in range(400):
            threads.submit(logging.getLogger("x").info, "%s", str(number) * 200)
    assert len(log.lines) == 400


def test_a_library_with_handlers_of_its_own_is_taken_over_errors_only(
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
