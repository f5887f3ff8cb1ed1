"""Progress reports of a generation on the engine thread."""

from concurrent.futures import Future
from typing import Any

import pytest

from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import Callbacks, Inputs
from tests.inference.generations import InlineExecutor, generation_of


class CountingExecutor(InlineExecutor):
    """Counts the calls that are submitted to it."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(*arguments, **options)


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def executor() -> CountingExecutor:
    return CountingExecutor()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def start(
    executor: CountingExecutor, clock: Clock, reported: list[tuple[int, int]], *, count: int = 1
) -> GenerationTask:
    callbacks = Callbacks(lambda done, total: reported.append((done, total)))
    return GenerationTask(
        generation_of(count=count), Inputs(), callbacks, callback_executor=executor, clock=clock
    )


def test_steps_within_a_second_submit_nothing_but_the_first_and_the_last(
    executor: CountingExecutor, clock: Clock
) -> None:
    reported: list[tuple[int, int]] = []
    task = start(executor, clock, reported)
    for _ in range(50):
        task.report_step(50, batch_size=8)
        clock.now += 0.019
    assert reported == [(1, 50), (50, 50)]
    assert executor.submitted == 2


def test_slow_steps_are_reported_once_a_second(executor: CountingExecutor, clock: Clock) -> None:
    reported: list[tuple[int, int]] = []
    task = start(executor, clock, reported)
    for _ in range(10):
        task.report_step(10, batch_size=8)
        clock.now += 0.5
    assert reported == [(1, 10), (3, 10), (5, 10), (7, 10), (9, 10), (10, 10)]


def test_a_step_of_several_images_is_reported_when_all_have_made_it(
    executor: CountingExecutor, clock: Clock
) -> None:
    reported: list[tuple[int, int]] = []
    task = start(executor, clock, reported, count=3)
    for _ in range(3 * 2):
        task.report_step(2, batch_size=4)
        clock.now += 2
    assert reported == [(1, 2), (2, 2)]
