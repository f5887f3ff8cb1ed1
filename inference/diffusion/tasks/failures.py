"""Error handling on the engine thread: an error fails one task, or ends the thread if the GPU is lost."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from inference.diffusion.tasks.task import EngineTask
from inference.engine.errors import OutOfMemoryError


class DeviceLostError(BaseException):
    """The GPU has failed and can only be used again by a new process. It ends the engine thread."""


@contextmanager
def failing(task: EngineTask[Any]) -> Iterator[None]:
    """Fails the task with whatever exception the block raises, and suppresses that.

    Out of memory, the task fails with an error that has no traceback: torch's own would keep the frames'
    tensors allocated.

    Raises:
        DeviceLostError: the GPU itself has failed.
    """
    with task:
        try:
            yield
        except torch.OutOfMemoryError:
            pass
        except torch.AcceleratorError as error:
            raise DeviceLostError from error
        else:
            return
        torch.cuda.empty_cache()
        task.fail(out_of_memory(task))


@contextmanager
def failing_all(tasks: Iterable[EngineTask[Any]]) -> Iterator[None]:
    """Fails every one of the tasks with whatever exception the block raises; see `failing`."""
    try:
        yield
    except Exception:
        for task in tasks:
            with failing(task):
                raise


def out_of_memory(task: EngineTask[Any]) -> OutOfMemoryError:
    """The error of a task that does not fit in GPU memory."""
    return OutOfMemoryError(task.out_of_memory_detail)
