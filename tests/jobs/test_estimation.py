"""Estimates of waiting times, compared with a queue that is replayed."""

import heapq
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.submission import JobSubmission
from jobs.estimation import simulate_queue
from jobs.job import Estimate, Job, UnfinishedJob
from jobs.lifecycle import JobStatus
from jobs.ports import Waking
from tests.jobs.fakes import CALLER, NOW, InMemoryBackend

SECONDS_PER_UNIT = 0.5


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


def submit(backend: InMemoryBackend, **fields: Any) -> Job:
    return backend.service.submit(JobSubmission(prompt="x", steps=20, **fields), CALLER)


def estimate(backend: InMemoryBackend, job: Job) -> Estimate:
    found = backend.service.follow(job.id, CALLER).estimate
    assert found is not None
    return found


def measure(backend: InMemoryBackend) -> None:
    for seconds in (0.4, SECONDS_PER_UNIT, 30.0):
        backend.estimates.add_processing("demo/512x512", seconds)


def test_nothing_is_estimated_before_anything_was_measured(backend: InMemoryBackend) -> None:
    submit(backend)
    job = submit(backend)
    assert estimate(backend, job) == Estimate(position=2)


def test_queued_jobs_wait_for_those_before_them(backend: InMemoryBackend) -> None:
    measure(backend)
    jobs = [submit(backend) for _ in range(3)]
    found = estimate(backend, jobs[2])
    assert (found.position, found.eta_seconds) == (3, 3 * 20 * SECONDS_PER_UNIT)
    assert found.basis is not None
    assert "2 jobs ahead" in found.basis


def test_a_running_job_ends_when_its_remaining_time_is_over(backend: InMemoryBackend) -> None:
    measure(backend)
    job, behind = submit(backend), submit(backend)
    backend.completion.start(job.invocation_id, NOW)
    backend.now += timedelta(seconds=4)
    assert estimate(backend, job).eta_seconds == 6.0
    assert estimate(backend, job).position is None
    assert estimate(backend, behind).eta_seconds == 16.0


def test_unknown_workloads_ahead_leave_the_estimate_open(backend: InMemoryBackend) -> None:
    measure(backend)
    submit(backend, width=256, height=256)
    assert estimate(backend, submit(backend)) == Estimate(position=2)


def test_waking_capacity_adds_the_measured_waking_time(backend: InMemoryBackend) -> None:
    measure(backend)
    backend.endpoints.count = 0
    job = submit(backend)
    assert estimate(backend, job) == Estimate(waking_capacity=True, position=1)
    backend.estimates.set_waking("demo", Waking(since=NOW, seconds=(240.0, 200.0, 280.0)))
    backend.now += timedelta(seconds=60)
    assert estimate(backend, job).eta_seconds == 180 + 10


def test_an_unknown_number_of_instances_leaves_the_estimate_open(backend: InMemoryBackend) -> None:
    measure(backend)
    backend.endpoints.count = None
    assert estimate(backend, submit(backend)) == Estimate(position=1)


def summary(number: int, *, started_at: datetime | None = None) -> UnfinishedJob:
    return UnfinishedJob(
        id=f"{number:026}",
        status=JobStatus.RUNNING if started_at else JobStatus.QUEUED,
        created_at=NOW,
        started_at=started_at,
        endpoint="endpoint-1",
        workload="demo/512x512",
        units=20,
    )


@given(
    durations=st.lists(st.floats(0.1, 100), min_size=1, max_size=20),
    slots=st.integers(1, 4),
    elapsed=st.floats(0, 50),
)
def test_the_estimate_is_the_time_of_a_replayed_queue(
    durations: list[float], slots: int, elapsed: float
) -> None:
    """A first-in first-out queue with `slots` servers is replayed, event by event."""
    seconds = {summary(number).id: duration for number, duration in enumerate(durations)}
    ends: list[float] = []
    free = [0.0] * slots
    started: list[float] = []
    for number in range(len(durations)):
        begin = heapq.heappop(free)
        started.append(begin)
        ends.append(begin + durations[number])
        heapq.heappush(free, ends[-1])
    now = NOW + timedelta(seconds=elapsed)
    unfinished = [number for number, ended in enumerate(ends) if ended > elapsed]
    for target in unfinished:
        if started[target] <= elapsed:
            continue
        running = [
            summary(each, started_at=NOW + timedelta(seconds=started[each]))
            for each in unfinished
            if started[each] <= elapsed
        ]
        ahead = [summary(each) for each in unfinished if elapsed < started[each] and each < target]
        eta = simulate_queue(summary(target), ahead, running, seconds, slots=slots, delay_s=0, now=now)
        assert eta == pytest.approx(ends[target] - elapsed, abs=1e-4)


def test_no_queued_job_starts_before_there_is_an_instance() -> None:
    job = replace(summary(1), units=1)
    assert simulate_queue(job, [], [], {job.id: 5.0}, slots=2, delay_s=60, now=NOW) == 65.0
