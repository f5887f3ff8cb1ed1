"""Admission and draining of jobs."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from contract.problem import ErrorCode, ProblemError
from inference.engine.errors import EngineClosedError
from inference.invocation.running_jobs import RunningJobs
from tests.inference.invocation.coroutines import run_ready_callbacks, run_within_limit, wait_forever
from tests.waiting import LIMIT_S

CANCELED = ProblemError("canceled", code=ErrorCode.CANCELED)
UNREACHED_S = 2 * LIMIT_S
"""A time limit that only a failing test would wait for."""


async def run_job(running_jobs: RunningJobs, generated: asyncio.Event, stored: asyncio.Event) -> None:
    with running_jobs.admit():
        async with running_jobs.cancel_scope():
            await generated.wait()
        async with running_jobs.storing_scope():
            await stored.wait()


def happened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def start(*coroutines: Coroutine[Any, Any, None]) -> list["asyncio.Task[None]"]:
    """Tasks of the coroutines, each of which has run to its first wait."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    await run_ready_callbacks()
    return tasks


def test_draining_waits_for_every_job_and_admits_no_more() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        events = [asyncio.Event(), asyncio.Event()]
        jobs = await start(*(run_job(running_jobs, event, happened()) for event in events))
        (drain,) = await start(running_jobs.drain(timeout_s=UNREACHED_S, grace_s=0))
        with pytest.raises(EngineClosedError), running_jobs.admit():
            pass
        with pytest.raises(EngineClosedError):
            running_jobs.check()
        for event, job in zip(events, jobs, strict=True):
            assert not drain.done()
            event.set()
            await job
        await drain

    run_within_limit(work())


def test_a_job_admitted_right_before_draining_begins_can_still_generate_and_is_waited_for() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        drain = asyncio.create_task(running_jobs.drain(timeout_s=UNREACHED_S, grace_s=0))
        with running_jobs.admit():
            await run_ready_callbacks()
            with pytest.raises(EngineClosedError):
                running_jobs.check()
            async with running_jobs.cancel_scope():
                await run_ready_callbacks()
            assert not drain.done()
        await drain

    run_within_limit(work())


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_a_job_that_fails_is_not_waited_for(error: Exception | None) -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        with suppress(ZeroDivisionError), running_jobs.admit():
            if error is not None:
                raise error
        await running_jobs.drain(timeout_s=UNREACHED_S, grace_s=UNREACHED_S)

    run_within_limit(work())


def test_after_the_timeout_generations_are_cancelled_and_finished_ones_are_still_stored() -> None:
    async def work() -> None:
        running_jobs, stored = RunningJobs(), asyncio.Event()
        generating, storing = await start(
            run_job(running_jobs, asyncio.Event(), happened()),
            run_job(running_jobs, happened(), stored),
        )
        (drain,) = await start(running_jobs.drain(timeout_s=0, grace_s=UNREACHED_S))
        await asyncio.wait([generating])
        assert isinstance(generating.exception(), EngineClosedError)
        await run_ready_callbacks()
        assert not drain.done()
        assert not storing.done()
        stored.set()
        await storing
        await drain

    run_within_limit(work())


def test_a_scope_entered_after_the_timeout_is_cancelled_at_once() -> None:
    """A job can be admitted before the drain, and reach its generation when the timeout is over."""

    async def work() -> None:
        running_jobs, parsed = RunningJobs(), asyncio.Event()

        async def slow_job() -> None:
            with running_jobs.admit():
                await parsed.wait()
                async with running_jobs.cancel_scope():
                    await wait_forever()

        (job,) = await start(slow_job())
        (drain,) = await start(running_jobs.drain(timeout_s=0, grace_s=UNREACHED_S))
        assert not drain.done()
        parsed.set()
        with pytest.raises(EngineClosedError):
            await job
        await drain

    run_within_limit(work())


def test_a_job_that_ends_while_it_is_being_cancelled_ends_the_drain_normally() -> None:
    """The generation finishes in the iteration of the event loop in which the timeout cancels the scopes."""

    async def work() -> None:
        running_jobs, generated = RunningJobs(), asyncio.Event()
        (job,) = await start(run_job(running_jobs, generated, happened()))
        drain = asyncio.create_task(running_jobs.drain(timeout_s=0, grace_s=UNREACHED_S))
        generated.set()
        await drain
        await job

    run_within_limit(work())


def test_after_the_grace_period_jobs_that_still_store_fail_as_those_that_generate() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        (job,) = await start(run_job(running_jobs, happened(), asyncio.Event()))
        await running_jobs.drain(timeout_s=0, grace_s=0)
        with pytest.raises(EngineClosedError):
            await job

    run_within_limit(work())


def test_draining_ends_even_if_a_job_does_not_end() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        with running_jobs.admit():
            await running_jobs.drain(timeout_s=0, grace_s=0)

    run_within_limit(work())


def test_without_jobs_draining_ends_at_once() -> None:
    run_within_limit(RunningJobs().drain(timeout_s=UNREACHED_S, grace_s=UNREACHED_S))


def test_a_job_started_after_another_has_ended_is_waited_for() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        with running_jobs.admit():
            pass
        with running_jobs.admit():
            (drain,) = await start(running_jobs.drain(timeout_s=UNREACHED_S, grace_s=0))
            assert not drain.done()
        await drain

    run_within_limit(work())
