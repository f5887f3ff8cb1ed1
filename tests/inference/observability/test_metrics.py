import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from ulid import ULID

from contract import metrics
from contract.problem import ErrorCode, FieldError, ProblemError
from inference.engine.errors import OutOfMemoryError
from inference.observability.metrics import ContainerMetrics
from tests.inference.conftest import Log

RECEIVED_AT = 1_800_000_000.0


def ticking(step: float) -> Any:
    """A clock that advances by `step` seconds at each reading."""
    readings = itertools.count()
    return lambda: next(readings) * step


def container_metrics(step: float = 1.0) -> ContainerMetrics:
    return ContainerMetrics(stage="dev", model="demo", clock=ticking(step), now=lambda: RECEIVED_AT)


def id_created(seconds_ago: float) -> str:
    return str(ULID.from_timestamp(RECEIVED_AT - seconds_ago))


def metrics_in(line: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Value and unit by name, as CloudWatch reads the line."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "StableDiffusion"
    assert directive["Dimensions"] == [["Stage", "Model"]]
    assert (line["Stage"], line["Model"]) == ("dev", "demo")
    assert isinstance(line["_aws"]["Timestamp"], int)
    found = {}
    for metric in directive["Metrics"]:
        (value,) = line[metric["Name"]]
        found[metric["Name"]] = (value, metric["Unit"])
    return found


def test_only_a_successful_model_load_is_logged(log: Log) -> None:
    with pytest.raises(OSError, match="gone"), container_metrics().model_load("demo"):
        raise OSError("gone")
    assert log.lines == []
    with container_metrics(step=2.5).model_load("demo"):
        pass
    (line,) = log.lines
    assert metrics_in(line) == {"ModelLoadSeconds": (2.5, "Seconds")}


def test_a_successful_job_is_logged_with_its_durations_and_counts(log: Log) -> None:
    with container_metrics().job() as job:
        assert job.assign_id(requested := id_created(12.5)) == requested
        for part in ("fetch", "denoise", "encode", "upload"):
            with job.measure(part):
                pass
        job.finish(images=3)
    (line,) = log.lines
    assert line["job_id"] == requested
    assert metrics_in(line) == {
        "QueueSeconds": (12.5, "Seconds"),
        "FetchSeconds": (1, "Seconds"),
        "DenoiseSeconds": (1, "Seconds"),
        "EncodeSeconds": (1, "Seconds"),
        "UploadSeconds": (1, "Seconds"),
        "TotalSeconds": (9, "Seconds"),
        "Images": (3, "Count"),
        "Failures": (0, "Count"),
    }
    assert job.durations_s == {"fetch": 1, "denoise": 1, "encode": 1, "upload": 1, "total": 9}


def test_the_model_dimension_is_the_model_of_the_job(log: Log) -> None:
    shared = container_metrics()
    with shared.model_load("anime"):
        pass
    with shared.job() as job:
        job.model = "anime"
    with suppress(OSError), shared.job() as job:
        job.model = "anime"
        raise OSError("gone")
    with shared.job():
        pass
    assert [line["Model"] for line in log.lines] == ["anime", "anime", "anime", "demo"]


def test_a_part_that_fails_has_no_duration() -> None:
    with container_metrics().job() as job:
        with pytest.raises(OSError, match="gone"), job.measure("fetch"):
            raise OSError("gone")
        job.finish(images=0)
    assert set(job.durations_s) == {"total"}


def test_queue_seconds_are_not_negative_if_the_clocks_differ(log: Log) -> None:
    with container_metrics().job() as job:
        job.assign_id(id_created(-3))
    assert metrics_in(log.lines[0])["QueueSeconds"] == (0, "Seconds")


def test_a_job_without_a_requested_id_has_no_queue_seconds(log: Log) -> None:
    with container_metrics().job() as job:
        identifier = job.assign_id(None)
    assert "QueueSeconds" not in metrics_in(log.lines[0])
    assert log.lines[0]["job_id"] == identifier


def fail(error: Exception) -> None:
    def run() -> None:
        with container_metrics().job() as job:
            job.assign_id(id_created(1))
            raise error

    with pytest.raises(type(error)):
        run()


@pytest.mark.parametrize(
    ("error", "code"),
    [(OutOfMemoryError("4 images do not fit"), "out_of_memory"), (ValueError("a red circle"), "internal")],
)
def test_a_failure_is_counted_under_its_code(log: Log, error: Exception, code: str) -> None:
    fail(error)
    (line,) = log.lines
    assert metrics_in(line) == {"QueueSeconds": (1, "Seconds"), "Failures": (1, "Count")}
    assert line[metrics.ERROR_CODE_PROPERTY] == code


def test_the_detail_of_a_failure_is_logged_unless_it_may_quote_the_request(log: Log) -> None:
    fail(OutOfMemoryError("4 images do not fit"))
    fail(ValueError("a red circle"))
    errors = (FieldError(pointer="#/a red circle", detail="is not a known field"),)
    fail(ProblemError("a red circle: is not a known field", code=ErrorCode.VALIDATION_FAILED, errors=errors))
    assert [line.get("detail") for line in log.lines] == ["4 images do not fit", None, None]
    assert "red circle" not in log.text


def test_the_dimensions_are_stage_and_model() -> None:
    assert metrics.dimensions(stage="dev", model="demo") == {"Stage": "dev", "Model": "demo"}


def test_simultaneous_jobs_do_not_share_metrics(log: Log) -> None:
    shared = ContainerMetrics(stage="dev", model="demo")

    def run_job(images: int) -> None:
        with shared.job() as job:
            job.finish(images=images)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run_job, range(200)))
    assert sorted(metrics_in(line)["Images"][0] for line in log.lines) == list(range(200))


def test_the_powertools_environment_variables_are_ignored(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Other")
    with container_metrics().model_load("demo"):
        pass
    assert set(metrics_in(log.lines[0])) == {"ModelLoadSeconds"}
