"""Estimates of waiting times, from measurements; nothing is returned where nothing was measured."""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from contract.environment import ModelEndpoint
from jobs.job import Estimate, Job, UnfinishedJob
from jobs.lifecycle import JobStatus
from jobs.ports import Endpoints, Estimates, JobRepository
from jobs.workload import units_of, workload_of

_CACHE = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class _Queue:
    """A queue at one moment."""

    seen_at: datetime
    jobs: tuple[UnfinishedJob, ...]


@dataclass(frozen=True, kw_only=True)
class EstimationService:
    """Estimates when unfinished jobs end. Queues are read at most every five seconds."""

    jobs: JobRepository
    estimates: Estimates
    invocations: Endpoints
    endpoints: Mapping[str, ModelEndpoint]
    clock: Callable[[], datetime]
    _queues: dict[str, _Queue] = field(default_factory=dict)

    def estimate(self, job: Job) -> Estimate:
        """The waiting time of an unfinished job."""
        now = self.clock()
        others = [each for each in self._queue(job.queue, now).jobs if each.id != job.id]
        ahead = sorted(
            (each for each in others if each.status is JobStatus.QUEUED and each.id < job.id),
            key=lambda each: each.id,
        )
        running = [each for each in others if each.status is JobStatus.RUNNING]
        instances = self.invocations.instances(job.queue)
        is_queued = job.status is JobStatus.QUEUED
        position = len(ahead) + 1 if is_queued else None
        waking_capacity = is_queued and instances == 0
        own = _summary(job)
        seconds = self._seconds((own, *ahead, *running) if is_queued else (own,))
        capacity_s = self._seconds_to_capacity(job, instances, now)
        if seconds is None or capacity_s is None or instances is None:
            return Estimate(waking_capacity=waking_capacity, position=position)
        slots = max(instances, 1) * self.endpoints[job.generation.model].max_concurrent_invocations
        if is_queued:
            eta = simulate_queue(own, ahead, running, seconds, slots=slots, delay_s=capacity_s, now=now)
        else:
            eta = _remaining(own, seconds, now)
        return Estimate(
            waking_capacity=waking_capacity,
            position=position,
            eta_seconds=round(eta, 1),
            basis=_basis(instances, len(ahead), capacity_s),
        )

    def _queue(self, name: str, now: datetime) -> _Queue:
        queue = self._queues.get(name)
        if queue is None or now - queue.seen_at > _CACHE:
            queue = _Queue(seen_at=now, jobs=tuple(self.jobs.unfinished(name)))
            self._queues[name] = queue
        return queue

    def _seconds(self, jobs: Iterable[UnfinishedJob]) -> dict[str, float] | None:
        """The expected processing time of each job by id; None if one of them is not known."""
        wanted = tuple(jobs)
        measured = self.estimates.processing({each.workload for each in wanted})
        if any(each.workload not in measured for each in wanted):
            return None
        return {each.id: median(measured[each.workload]) * each.units for each in wanted}

    def _seconds_to_capacity(self, job: Job, instances: int | None, now: datetime) -> float | None:
        """The seconds until an instance is in service; None if unknown."""
        if instances != 0 or job.status is JobStatus.RUNNING:
            return 0.0
        waking = self.estimates.waking(job.queue)
        if not waking.seconds:
            return None
        since = min(waking.since or job.created_at, job.created_at)
        return max(0.0, median(waking.seconds) - (now - since).total_seconds())


def simulate_queue(
    job: UnfinishedJob,
    ahead: Iterable[UnfinishedJob],
    running: Iterable[UnfinishedJob],
    seconds: Mapping[str, float],
    *,
    slots: int,
    delay_s: float,
    now: datetime,
) -> float:
    """The seconds until a queued job ends, when the queue is served in order.

    Args:
        job: the job.
        ahead: the jobs before it, in order.
        running: the jobs that occupy slots.
        seconds: the expected processing time of each job by id.
        slots: the number of jobs that are processed at once.
        delay_s: the seconds until the first queued job can start.
        now: the time.
    """
    free_at = sorted(max(delay_s, _remaining(each, seconds, now)) for each in running)[-slots:]
    free_at += [delay_s] * (slots - len(free_at))
    heapq.heapify(free_at)
    for each in ahead:
        heapq.heapreplace(free_at, free_at[0] + seconds[each.id])
    return free_at[0] + seconds[job.id]


def _remaining(job: UnfinishedJob, seconds: Mapping[str, float], now: datetime) -> float:
    elapsed = (now - job.started_at).total_seconds() if job.started_at else 0.0
    return max(0.0, seconds[job.id] - elapsed)


def _summary(job: Job) -> UnfinishedJob:
    return UnfinishedJob(
        id=job.id,
        status=job.status,
        created_at=job.created_at,
        started_at=job.started_at,
        endpoint=job.invocation.endpoint if job.invocation else None,
        workload=workload_of(job.generation),
        units=units_of(job.generation),
    )


def _basis(instances: int, ahead: int, capacity_s: float) -> str:
    parts = [
        "median times of recent jobs like these",
        f"{ahead} jobs ahead",
        f"{instances} instances in service",
    ]
    if capacity_s:
        parts.append(f"{capacity_s:.0f} s until an instance is in service")
    return "; ".join(parts)
