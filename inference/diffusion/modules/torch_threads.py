"""The number of CPU threads that torch computes with."""

import os

import torch


def spare_a_core() -> None:
    """Lets the calling thread compute on all cores but one, which is left to the server.

    OpenMP also stops spinning at barriers once its threads and the process's main thread outnumber the cores;
    small networks then take several times as long.
    """
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
