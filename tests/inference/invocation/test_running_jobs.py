import asyncio
from contextlib import suppress

import pytest

from contract.problem import ErrorCode, ProblemError
from inference.engine.errors import EngineClosedError
from inference.invocation.running_jobs import RunningJobs

CANCELED = ProblemError("enough", code=ErrorCode.CANCELED)


def test_a_block_that_is_ended_raises_the_first_error_it_was_ended_with() -> None:
    async def work() -> None:
        async with RunningJobs().interruptible() as interruption:
            interruption.end(CANCELED)
            interruption.end(EngineClosedError("too late"))
            await asyncio.Event().wait()

    with pytest.raises(ProblemError) as raised:
        asyncio.run(work())
    assert raised.value is CANCELED


def test_what_an_ended_block_waits_for_is_cancelled() -> None:
    async def work() -> bool:
        drawing = asyncio.get_running_loop().create_future()
        with suppress(ProblemError):
            async with RunningJobs().interruptible() as interruption:
                interruption.end(CANCELED)
                await drawing
        return drawing.cancelled()

    assert asyncio.run(work())


def test_a_time_out_of_the_blocks_own_is_nobody_elses() -> None:
    async def work() -> None:
        async with RunningJobs().interruptible():
            raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(work())


def test_a_task_that_is_cancelled_stays_cancelled() -> None:
    async def work() -> None:
        async with RunningJobs().interruptible():
            await asyncio.Event().wait()

    async def cancel() -> bool:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancel())


def test_draining_waits_for_jobs_and_admits_no_others() -> None:
    order = []

    async def work() -> None:
        running, drawn = RunningJobs(), asyncio.Event()

        async def job() -> None:
            with running.job():
                async with running.interruptible():
                    await drawn.wait()
            order.append("answered")

        async def drain() -> None:
            await running.drain(limit_s=60, answering_s=60)
            order.append("drained")

        task = asyncio.create_task(job())
        await asyncio.sleep(0)
        draining = asyncio.create_task(drain())
        await asyncio.sleep(0)
        with pytest.raises(EngineClosedError), running.job():
            pass
        with pytest.raises(EngineClosedError):
            running.check()
        drawn.set()
        await asyncio.gather(task, draining)

    asyncio.run(work())
    assert order == ["answered", "drained"]


def test_at_the_limit_jobs_being_drawn_end_and_drawn_ones_are_still_answered() -> None:
    order = []

    async def work() -> None:
        running, stored = RunningJobs(), asyncio.Event()

        async def drawing() -> None:
            with pytest.raises(EngineClosedError), running.job():
                async with running.interruptible():
                    await asyncio.Event().wait()
            order.append("ended")
            stored.set()

        async def storing() -> None:
            with running.job():
                async with running.interruptible():
                    pass
                await stored.wait()
            order.append("answered")

        jobs = [asyncio.create_task(drawing()), asyncio.create_task(storing())]
        await asyncio.sleep(0)
        await running.drain(limit_s=0, answering_s=60)
        order.append("drained")
        await asyncio.gather(*jobs)

    asyncio.run(work())
    assert order == ["ended", "answered", "drained"]


def test_with_nothing_to_do_draining_is_done() -> None:
    asyncio.run(RunningJobs().drain(limit_s=60, answering_s=60))
