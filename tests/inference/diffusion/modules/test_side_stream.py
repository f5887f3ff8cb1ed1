"""The order of work on two streams, with events of a GPU that passes them on demand."""

from typing import Any

from inference.diffusion.modules.side_stream import Moment, Pacer, SideStream
from tests.inference.diffusion.modules.fake_event import FakeEvent


def test_without_a_gpu_every_moment_has_passed_and_work_runs_in_order() -> None:
    stream, order = SideStream(None), []
    with stream.running():
        order.append("beside")
    stream.join()
    order.append("after")
    assert stream.record().has_passed
    assert order == ["beside", "after"]


def test_a_moment_passes_when_the_gpu_has_done_what_was_queued_before() -> None:
    event = FakeEvent()
    moment = Moment(event)  # type: ignore[arg-type]
    assert not moment.has_passed
    moment.wait()
    assert moment.has_passed


def test_the_next_step_is_prepared_while_the_gpu_computes_the_one_before() -> None:
    events: list[Any] = []

    def record() -> Moment:
        events.append(FakeEvent())
        return Moment(events[-1])

    pacer = Pacer(record)
    for _ in range(4):
        pacer.end_step()
    assert [event.has_passed for event in events] == [True, True, True, False]
