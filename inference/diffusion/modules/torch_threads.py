"""How many cores the processor's part of the work gets."""

import os

import torch


def spare_a_core() -> None:
    """Lets the calling thread compute on all cores but one.

    The spare one serves requests. And OpenMP stops waiting actively once there are more threads, the
    process's first one counted, than cores; small networks then take several times as long.
    """
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
