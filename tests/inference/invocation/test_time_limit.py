import asyncio

import pytest

from contract.problem import ErrorCode
from inference.invocation import time_limit as module
from inference.invocation.running_jobs import RunningJobs
from inference.invocation.time_limit import JobTimeoutError, time_limit
from tests.waiting import LIMIT_S


async def run_for_ever(invocation_timeout_s: float) -> None:
    async with RunningJobs().cancel_scope() as scope:
        with time_limit(scope, invocation_timeout_s):
            await asyncio.wait_for(asyncio.Event().wait(), LIMIT_S)


def test_a_job_that_is_not_finished_in_time_fails_before_sagemaker_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MARGIN_S", 899)
    with pytest.raises(JobTimeoutError, match="not generated within 1 seconds") as caught:
        asyncio.run(run_for_ever(900))
    assert caught.value.code is ErrorCode.TIMEOUT
    assert caught.value.problem().retryable


@pytest.mark.parametrize(("invocation_timeout_s", "seconds"), [(900, 895), (60, 55), (6, 1), (5, 1), (1, 1)])
def test_the_limit_is_five_seconds_below_that_of_the_invocation_and_ends_with_the_block(
    monkeypatch: pytest.MonkeyPatch, invocation_timeout_s: float, seconds: float
) -> None:
    delays: list[float] = []
    timers: list[asyncio.TimerHandle] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def record(delay: float, *arguments: object) -> asyncio.TimerHandle:
            delays.append(delay)
            timers.append(call_later(LIMIT_S, *arguments))  # type: ignore[arg-type]
            return timers[-1]

        monkeypatch.setattr(loop, "call_later", record)
        async with RunningJobs().cancel_scope() as scope:
            with time_limit(scope, invocation_timeout_s):
                pass

    asyncio.run(run())
    assert delays[0] == seconds
    assert timers[0].cancelled()
