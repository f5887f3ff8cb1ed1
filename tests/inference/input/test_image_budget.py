import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.input.image_budget import ImageBudget, image_bytes
from tests.inference.fake_engine import ENVIRONMENT
from tests.inference.generations import generation_of

MODEL = ENVIRONMENT.model
LARGEST = MODEL.limits.max_size**2
URI = "s3://data/inputs/a.png"
CANNY = {"type": "canny", "image": URI}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 0),
        ({"input_image": URI}, 3 * LARGEST),
        ({"input_image": URI, "width": 64, "height": 128}, 3 * 64 * 128),
        ({"input_image": URI, "mask_image": URI}, 8 * LARGEST),
        ({"input_image": URI, "outpaint": {"left": 64}}, 8 * LARGEST),
        ({"controlnets": [CANNY] * 2, "width": 64, "height": 64}, 6 * 64 * 64),
        (
            {"controlnets": [CANNY], "width": 64, "height": 64, "hires": {"scale": 2.0, "strength": 0.5}},
            3 * 64 * 64 + 3 * 128 * 128,
        ),
    ],
    ids=["none", "image", "sized image", "mask", "outpainting", "control images", "hires pass"],
)
def test_the_bytes_of_a_generations_images(fields: dict[str, Any], expected: int) -> None:
    assert image_bytes(generation_of(model=MODEL, **fields), MODEL) == expected


def test_jobs_wait_in_the_order_of_their_arrival_until_their_images_fit() -> None:
    admitted: list[str] = []

    async def run() -> None:
        budget, done = ImageBudget(10), {name: asyncio.Event() for name in "abcd"}

        async def hold(name: str, size: int) -> None:
            async with budget.reserve(size):
                admitted.append(name)
                await done[name].wait()

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for name, size in {"a": 6, "b": 4, "c": 5, "d": 1}.items():
                tasks.create_task(hold(name, size))
            await _idle()
            assert admitted == ["a", "b"]
            done["b"].set()
            await _idle()
            assert admitted == ["a", "b"]
            done["a"].set()
            await _idle()
            assert admitted == ["a", "b", "c", "d"]
            done["c"].set()
            done["d"].set()

    asyncio.run(run())


def test_a_job_that_exceeds_the_budget_runs_alone() -> None:
    async def run() -> None:
        budget = ImageBudget(10)
        async with asyncio.timeout(60):
            async with budget.reserve(11):
                other = asyncio.create_task(budget.reserve(1).__aenter__())
                await _idle()
                assert not other.done()
            await other

    asyncio.run(run())


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3), st.integers(0, 6)), max_size=12))
def test_the_budget_is_never_exceeded_and_cancelled_jobs_return_their_share(
    jobs: list[tuple[int, int, int]],
) -> None:
    """The jobs are sizes, turns of the event loop that they take, and turns until they are cancelled."""

    async def run() -> None:
        budget, held = ImageBudget(10), 0

        async def hold(size: int, turns: int) -> None:
            nonlocal held
            async with budget.reserve(size):
                held += min(size, 10)
                assert held <= 10
                try:
                    for _ in range(turns):
                        await asyncio.sleep(0)
                finally:
                    held -= min(size, 10)

        async def job(size: int, turns: int, turns_until_cancelled: int) -> None:
            task = asyncio.create_task(hold(size, turns))
            for _ in range(turns_until_cancelled):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or task.exception() is None

        async with asyncio.timeout(60):
            await asyncio.gather(*(job(*each) for each in jobs))
            async with budget.reserve(10):
                assert held == 0

    asyncio.run(run())


async def _idle() -> None:
    """Lets every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)
