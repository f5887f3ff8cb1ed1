"""What goes wrong on the device, and who answers for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from inference.denoising.ticket import Ticket
from inference.engine import OutOfMemoryError


class DeviceLostError(BaseException):
    """The accelerator has failed, and works again in a new process only: no ticket can answer for that."""


@contextmanager
def answering(ticket: Ticket) -> Iterator[None]:
    """Lets the ticket answer for the block.

    Where memory does not suffice it fails with an error that does not itself hold on to any, as the
    accelerator's own would by its traceback.

    Raises:
        DeviceLostError: the accelerator itself has failed.
    """
    with ticket:
        try:
            yield
        except torch.OutOfMemoryError:
            pass
        except torch.AcceleratorError as error:
            raise DeviceLostError from error
        else:
            return
        torch.cuda.empty_cache()
        ticket.fail(out_of_memory(ticket))


def out_of_memory(ticket: Ticket) -> OutOfMemoryError:
    """What to say to a client whose images do not fit."""
    return OutOfMemoryError(
        f"{ticket.generation.count} image(s) of this size do not fit the accelerator's memory; "
        "ask for fewer or smaller ones."
    )
