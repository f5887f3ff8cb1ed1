"""Cancellation of a job's block from outside."""

import asyncio
from contextlib import suppress

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
