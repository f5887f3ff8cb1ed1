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

ARRIVAL = 1_800_000_000.0


def ticking(step: float) -> Any:
    """A clock that is `step` seconds later whenever it is read."""
    moments = iter(range(1000))
    return lambda: next(moments) * step


def telemetry(step: float = 1.0) -> ContainerMetrics:
    return ContainerMetrics(stage="dev", model="demo", clock=ticking(step), now=lambda: ARRIVAL)


def submitted(seconds_ago: float) -> str:
    return str(ULID.from_timestamp(ARRIVAL - seconds_ago))


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


def test_loading_is_measured_once_it_has_succeeded(log: Log) -> None:
    with pytest.raises(OSError, match="gone"), telemetry().loading("demo"):
        raise OSError("gone")
    assert log.lines == []
    with telemetry(step=2.5).loading("demo"):
        pass
    (line,) = log.lines
    assert metrics_in(line) == {"ModelLoadSeconds": (2.5, "Seconds")}


def test_a_job_is_one_line_of_its_durations_and_counts(log: Log) -> None:
    with telemetry().job() as job:
        assert job.identify(given := submitted(12.5)) == given
        for part in ("fetch", "denoise", "encode", "upload"):
            with job.measure(part):
                pass
        job.finish(images=3)
    (line,) = log.lines
    assert line["job_id"] == given
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


def test_what_another_model_does_is_told_under_its_name(log: Log) -> None:
    told = telemetry()
    with told.loading("anime"):
        pass
    with told.job() as job:
        job.model = "anime"
    with suppress(OSError), told.job() as job:
        job.model = "anime"
        raise OSError("gone")
    with told.job():
        pass
    assert [line["Model"] for line in log.lines] == ["anime", "anime", "anime", "demo"]


def test_a_part_that_fails_has_no_duration() -> None:
    with telemetry().job() as job:
        with pytest.raises(OSError, match="gone"), job.measure("fetch"):
            raise OSError("gone")
        job.finish(images=0)
    assert set(job.durations_s) == {"total"}


def test_a_clock_that_is_behind_the_callers_makes_no_negative_queue(log: Log) -> None:
    with telemetry().job() as job:
        job.identify(submitted(-3))
    assert metrics_in(log.lines[0])["QueueSeconds"] == (0, "Seconds")


def test_a_job_that_came_without_an_id_has_not_queued(log: Log) -> None:
    with telemetry().job() as job:
        identifier = job.identify(None)
    assert "QueueSeconds" not in metrics_in(log.lines[0])
    assert log.lines[0]["job_id"] == identifier


def fail(error: Exception) -> None:
    def run() -> None:
        with telemetry().job() as job:
            job.identify(submitted(1))
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


def test_a_failures_words_are_logged_where_they_are_ours_alone(log: Log) -> None:
    fail(OutOfMemoryError("4 images do not fit"))
    fail(ValueError("a red circle"))
    wrong = (FieldError(pointer="#/a red circle", detail="is not a known field"),)
    fail(ProblemError("a red circle: is not a known field", code=ErrorCode.VALIDATION_FAILED, errors=wrong))
    assert [line.get("detail") for line in log.lines] == ["4 images do not fit", None, None]
    assert "red circle" not in log.text


def test_the_dimensions_are_those_of_the_contract() -> None:
    assert metrics.dimensions(stage="dev", model="demo") == {"Stage": "dev", "Model": "demo"}


def test_jobs_at_once_do_not_share_metrics(log: Log) -> None:
    shared = ContainerMetrics(stage="dev", model="demo")

    def one(images: int) -> None:
        with shared.job() as job:
            job.finish(images=images)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(200)))
    assert sorted(metrics_in(line)["Images"][0] for line in log.lines) == list(range(200))


def test_nothing_of_lambdas_environment_is_needed_or_heeded(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Other")
    with telemetry().loading("demo"):
        pass
    assert set(metrics_in(log.lines[0])) == {"ModelLoadSeconds"}
