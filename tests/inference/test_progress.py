from concurrent.futures import Executor, Future
from typing import Any

from inference.contract.progress import Phase, Progress
from inference.progress import ProgressPublisher


class Immediate(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Recorder:
    def __init__(self) -> None:
        self.stored: list[tuple[str, Progress]] = []

    def store_progress(self, job_id: str, progress: Progress) -> None:
        self.stored.append((job_id, progress))


def publish(times: list[float], steps: int) -> list[Progress]:
    """What is stored when step i comes at the i-th time."""
    recorder, moments = Recorder(), iter([times[0], *times])
    publisher = ProgressPublisher(recorder, "J", Immediate(), clock=lambda: next(moments))
    for step in range(1, steps + 1):
        publisher.on_step(step, steps)
    if len(times) > steps:
        publisher.on_drawn()
    assert all(job_id == "J" for job_id, _ in recorder.stored)
    return [progress for _, progress in recorder.stored]


def test_the_first_step_is_stored_at_once() -> None:
    assert publish([100.0], 1) == [Progress(phase=Phase.DENOISING, step=1, total_steps=1)]


def test_at_most_one_step_a_second_is_stored() -> None:
    stored = publish([0.0, 0.3, 0.9, 1.0, 1.9, 2.5], 6)
    assert [progress.step for progress in stored] == [1, 4, 6]


def test_drawn_images_are_on_their_way_to_s3() -> None:
    assert publish([0.0, 0.5, 7.0], 2)[-1] == Progress(phase=Phase.UPLOADING, step=2, total_steps=2)
