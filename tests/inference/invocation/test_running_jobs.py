"""Admission, cancellation from outside and draining of jobs."""

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


def test_a_cancelled_scope_raises_the_first_error_it_was_cancelled_with() -> None:
    async def work() -> None:
        async with RunningJobs().cancel_scope() as scope:
            scope.cancel(CANCELED)
            scope.cancel(EngineClosedError("second"))
            await wait_forever()

    with pytest.raises(ProblemError) as raised:
        run_within_limit(work())
    assert raised.value is CANCELED


def test_the_future_that_a_cancelled_scope_awaits_is_cancelled() -> None:
    async def work() -> bool:
        generation = asyncio.get_running_loop().create_future()
        with suppress(ProblemError):
            async with RunningJobs().cancel_scope() as scope:
                scope.cancel(CANCELED)
                await generation
        return generation.cancelled()

    assert run_within_limit(work())


@pytest.mark.parametrize("cancel", [False, True])
def test_a_timeout_error_raised_inside_a_scope_is_passed_on(cancel: bool) -> None:
    async def work() -> None:
        async with RunningJobs().cancel_scope() as scope:
            if cancel:
                scope.cancel(CANCELED)
            raise TimeoutError("of the block")

    with pytest.raises(TimeoutError, match="of the block"):
        run_within_limit(work())


def test_an_error_raised_inside_a_cancelled_scope_is_passed_on() -> None:
    async def work() -> None:
        async with RunningJobs().cancel_scope() as scope:
            scope.cancel(CANCELED)
            try:
                await wait_forever()
            finally:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_within_limit(work())


def test_cancelling_the_task_of_a_scope_cancels_the_task() -> None:
    async def work() -> None:
        async with RunningJobs().cancel_scope():
            await wait_forever()

    async def cancel() -> bool:
        task = asyncio.create_task(work())
        await run_ready_callbacks()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_within_limit(cancel())


def test_a_scope_that_ends_before_its_cancellation_takes_effect_returns_normally() -> None:
    """The generation and the cancellation arrive in the same iteration of the event loop."""

    async def work() -> str:
        generated = asyncio.get_running_loop().create_future()
        async with RunningJobs().cancel_scope() as scope:
            asyncio.get_running_loop().call_soon(generated.set_result, "image")
            asyncio.get_running_loop().call_soon(scope.cancel, CANCELED)
            image: str = await generated
        await run_ready_callbacks()
        return image

    assert run_within_limit(work()) == "image"


def test_a_scope_whose_cancellation_takes_effect_first_raises_its_error() -> None:
    """As above, but the cancellation comes first: the generation's result is dropped."""

    async def work() -> None:
        generated = asyncio.get_running_loop().create_future()
        async with RunningJobs().cancel_scope() as scope:
            scope.cancel(CANCELED)
            asyncio.get_running_loop().call_soon(generated.set_result, "image")
            await generated

    with pytest.raises(ProblemError) as raised:
        run_within_limit(work())
    assert raised.value is CANCELED


async def run_job(running_jobs: RunningJobs, generated: asyncio.Event, stored: asyncio.Event) -> None:
    with running_jobs.admit():
        async with running_jobs.cancel_scope():
            await generated.wait()
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


def test_draining_ends_after_the_grace_period_even_if_jobs_are_still_running() -> None:
    async def work() -> None:
        running_jobs = RunningJobs()
        (job,) = await start(run_job(running_jobs, happened(), asyncio.Event()))
        await running_jobs.drain(timeout_s=0, grace_s=0)
        assert not job.done()
        job.cancel()

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
