"""Publishing of previews, with a fake clock."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from PIL import Image

from inference.engine.interface import Callbacks
from inference.invocation.previews import PreviewPublisher
from inference.invocation.step_counter import StepCounter
from inference.output.postprocessing import Postprocessor
from inference.output.watermark import Watermark
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S

IMAGE = Image.new("RGB", (16, 8), "red")


@dataclass
class InMemoryPreviews:
    """Keeps the stored previews; `accepts` is whether storing succeeds."""

    stored: list[bytes] = field(default_factory=list)
    accepts: bool = True

    def store_preview(self, job_id: str, data: bytes) -> bool:
        assert job_id == "J"
        self.stored.append(data)
        return self.accepts


@dataclass
class Publishing:
    """A publisher and everything around it; `released` blocks encoding until it is set."""

    bucket: InMemoryPreviews
    executor: ThreadPoolExecutor
    now: float = 100.0
    steps: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.released.set()
        self.publisher = PreviewPublisher(
            self.bucket,
            "J",
            self.executor,
            encode=self.encode,
            on_stored=self.steps.append,
            clock=lambda: self.now,
        )

    def encode(self, _image: Image.Image) -> bytes:
        assert self.released.wait(LIMIT_S)
        return b"jpeg"

    def finish(self) -> None:
        """Returns when everything that was published is stored."""
        self.executor.submit(int).result(LIMIT_S)


@pytest.fixture
def publishing() -> Iterator[Publishing]:
    with ThreadPoolExecutor(1) as executor:
        publishing = Publishing(InMemoryPreviews(), executor)
        yield publishing
        publishing.released.set()


def test_the_first_preview_is_due_at_once_and_the_next_ones_every_two_seconds(publishing: Publishing) -> None:
    claimed = []
    for tenth in range(61):
        publishing.now = 100 + tenth / 10
        if publishing.publisher.claim():
            claimed.append(tenth / 10)
            publishing.publisher.on_preview(IMAGE, tenth)
            publishing.finish()
    assert claimed == [0, 2, 4, 6]
    assert publishing.steps == [0, 20, 40, 60]
    assert publishing.bucket.stored == [b"jpeg"] * 4


def test_no_preview_is_made_while_the_one_before_is_being_stored(publishing: Publishing) -> None:
    publishing.released.clear()
    assert publishing.publisher.claim()
    publishing.publisher.on_preview(IMAGE, 1)
    publishing.now += 60
    assert not publishing.publisher.claim()
    publishing.released.set()
    publishing.finish()
    assert publishing.publisher.claim()


def test_a_preview_that_could_not_be_stored_is_not_reported(publishing: Publishing) -> None:
    publishing.bucket.accepts = False
    publishing.publisher.on_preview(IMAGE, 1)
    publishing.finish()
    assert (publishing.bucket.stored, publishing.steps) == ([b"jpeg"], [])


@pytest.mark.parametrize("size", [(16, 16), (64, 40), (40, 64), (300, 1), (512, 256)])
def test_a_preview_is_a_small_jpeg_file_with_the_shape_of_the_image(size: tuple[int, int]) -> None:
    file = Postprocessor().preview(Image.new("RGB", size, "red"))
    with Image.open(io.BytesIO(file)) as image:
        assert (image.format, max(image.size)) == ("JPEG", 256)
        assert min(image.size) == max(1, round(min(size) * 256 / max(size)))
    assert len(file) < 20_000


def test_a_preview_has_the_watermark() -> None:
    plain, marked = (
        Postprocessor(watermark=watermark).preview(IMAGE) for watermark in (None, Watermark("generated"))
    )
    assert plain != marked


def test_previews_of_the_hires_pass_are_those_of_the_first_image_and_continue_the_count(
    publishing: Publishing,
) -> None:
    counter = StepCounter(
        generation_of(count=2, hires={"strength": 0.5}), Callbacks(previews=publishing.publisher)
    )
    counter.first_pass().on_step(4, 4)
    previews = counter.hires_pass(0).previews
    assert previews is not None
    assert previews.claim()
    previews.on_preview(IMAGE, 2)
    publishing.finish()
    assert publishing.steps == [6]
    assert counter.hires_pass(1).previews is None
    assert StepCounter(generation_of(), Callbacks()).hires_pass(0).previews is None
