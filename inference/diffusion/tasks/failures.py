"""What goes wrong on the device, and who answers for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from inference.diffusion.tasks.task import Order
from inference.engine.errors import OutOfMemoryError


class DeviceLostError(BaseException):
    """The accelerator has failed, and works again in a new process only: no order can answer for that."""


@contextmanager
def answering(order: Order[Any]) -> Iterator[None]:
    """Lets the order answer for the block.

    Where memory does not suffice it fails with an error that does not itself hold on to any, as the
    accelerator's own would by its traceback.

    Raises:
        DeviceLostError: the accelerator itself has failed.
    """
    with order:
        try:
            yield
        except torch.OutOfMemoryError:
            pass
        except torch.AcceleratorError as error:
            raise DeviceLostError from error
        else:
            return
        torch.cuda.empty_cache()
        order.fail(out_of_memory(order))


def out_of_memory(order: Order[Any]) -> OutOfMemoryError:
    """What to say to a client whose order does not fit."""
    return OutOfMemoryError(order.too_large)
