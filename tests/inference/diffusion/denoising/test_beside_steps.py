"""Prompts and images beside the steps, with a stream whose work ends on demand."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inference.diffusion.modules.side_stream import Moment
from tests.inference.diffusion.denoising.loop_harness import LoopHarness
from tests.inference.diffusion.modules.fake_event import FakeEvent

pytestmark = pytest.mark.usefixtures("engine_thread_count")


class FakeStream:
    """A side stream whose work ends only when it is waited for, or by `finish`.

    Attributes:
        events: the ends of the work so far.
        joins: calls of `join`.
    """

    def __init__(self) -> None:
        self.events: list[FakeEvent] = []
        self.joins = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        yield

    def join(self) -> None:
        self.joins += 1

    def record(self) -> Moment:
        self.events.append(FakeEvent())
        return Moment(self.events[-1])  # type: ignore[arg-type]

    def finish(self) -> None:
        for event in self.events:
            event.has_passed = True


@pytest.fixture
def stream(loop: LoopHarness) -> FakeStream:
    stream = FakeStream()
    loop.loop._side_stream = stream  # type: ignore[assignment]
    return stream


def test_a_request_joins_the_steps_when_its_prompts_are_encoded(
    loop: LoopHarness, stream: FakeStream
) -> None:
    loop.add_request(steps=6)
    loop.step()  # waits: there is nothing else to do
    loop.add_request(steps=2, seed=12)
    loop.step()
    assert loop.samples == [2, 2]
    stream.finish()
    loop.step()
    assert loop.samples == [2, 2, 4]


def test_an_image_is_handed_over_when_it_is_decoded_and_the_steps_go_on_meanwhile(
    loop: LoopHarness, stream: FakeStream
) -> None:
    first, second = loop.add_request(steps=1), loop.add_request(steps=4, seed=12)
    stream.finish()
    loop.step(2)
    assert not first.future.done()
    stream.finish()
    loop.step()
    assert first.future.done()
    assert loop.samples == [4, 2, 2]
    loop.finish(second)  # waits for the last image


def test_with_offloading_the_modules_are_used_in_order_with_the_steps(
    loop: LoopHarness, stream: FakeStream
) -> None:
    loop.components.offloading.enable()
    task = loop.add_request(steps=1)
    joins = stream.joins
    loop.step()
    assert task.future.done()
    assert (joins, stream.joins) == (1, 2)
    assert not stream.events
