"""The handler of the reconciler, with in-memory ports."""

import importlib
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from jobs import wiring
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import InMemoryBackend, a_job, a_result, invocation_of
from tests.jobs.http_calls import CONTEXT


def run(remaining_ms: int) -> dict[str, int]:
    context = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: remaining_ms)
    counts: dict[str, int] = importlib.import_module("jobs.reconciler_handler").handler({}, context)
    return counts


@pytest.fixture
def overdue(deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch) -> InMemoryBackend:
    """One overdue job whose result is in S3."""
    monkeypatch.setattr(wiring, "stage", lambda: "test")
    job = a_job()
    deployed.jobs.create(job)
    deployed.documents.responses[invocation_of(job).output_location] = a_result(job.generation)
    deployed.now += timedelta(hours=1)
    return deployed


def test_a_run_counts_its_actions_as_metrics(
    overdue: InMemoryBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = run(60_000)
    assert (counts["JobsCompletedLate"], sum(counts.values())) == (1, 1)
    assert [job.status for job in overdue.jobs.jobs.values()] == [JobStatus.SUCCEEDED]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = (line for line in lines if "_aws" in line)
    assert metrics["JobsCompletedLate"] == [1]


def test_a_run_ends_before_the_functions_time_does(overdue: InMemoryBackend) -> None:
    assert sum(run(10_000).values()) == 0
    assert [job.status for job in overdue.jobs.jobs.values()] == [JobStatus.QUEUED]
