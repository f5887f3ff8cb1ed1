"""Work on the GPU beside the denoising steps, on a second CUDA stream. On the CPU everything runs in order.

One thread queues all work, on the current stream and on the side stream. A block on the side stream begins
after what has been queued on the current stream before it, so memory that was released before the block can
be used again in it. Tensors that a block only reads must be kept until its end has passed on the GPU, and its
results may be used on the current stream only after that.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


class Moment:
    """A point in a stream's work."""

    def __init__(self, event: torch.cuda.Event | None) -> None:
        """Takes a recorded event; None is in the past."""
        self._event = event

    @property
    def has_passed(self) -> bool:
        """Whether the GPU has finished what was queued before."""
        return self._event is None or self._event.query()

    def wait(self) -> None:
        """Blocks until the moment has passed; other threads run meanwhile."""
        if self._event is not None:
            self._event.synchronize()


class SideStream:
    """A second stream of a device."""

    def __init__(self, device: torch.device | None) -> None:
        """Takes the device; on None and on the CPU, work runs on the current stream."""
        self._stream = torch.cuda.Stream(device) if device is not None and device.type == "cuda" else None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs the block's work on the side stream, after all that has been queued on the current one."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield

    def join(self) -> None:
        """Lets the current stream's next work begin after all that has been queued on the side stream."""
        if self._stream is not None:
            torch.cuda.current_stream().wait_stream(self._stream)

    def record(self) -> Moment:
        """The end of what has been queued in the current stream, which in a block is the side stream."""
        if not torch.cuda.is_available():
            return Moment(None)
        return Moment(torch.cuda.current_stream().record_event())


class Pacer:
    """Keeps the queue of the GPU short, so that cancellations and arrivals take effect soon.

    The thread that queues the work prepares one step while the GPU computes the one before.
    """

    def __init__(self, record: Callable[[], Moment], *, steps: int = 2) -> None:
        """Takes a function that marks the end of the queue, and the number of steps in it at most."""
        self._record = record
        self._steps = steps
        self._ends: deque[Moment] = deque()

    def end_step(self) -> None:
        """Marks the end of a step, and waits until fewer than `steps` are unfinished."""
        self._ends.append(self._record())
        while len(self._ends) >= self._steps:
            self._ends.popleft().wait()
