"""Default batch sizes by the GPU memory of instance types."""

from collections.abc import Iterable

_GPU_MEMORY_GIB = {
    "g4dn": 16,
    "g5": 24,
    "g6": 24,
    "g6e": 48,
    "p4d": 40,
    "p4de": 80,
    "p5": 80,
    "p5e": 141,
    "p5en": 141,
}
"""Of one GPU, by the family of instance types: the container uses one."""

_SMALL_GPU_GIB = 16
_SMALL_BATCH, _BATCH = 4, 8


def default_batch_size(instance_types: Iterable[str]) -> int:
    """The default of `max_batch_size`: 4 if one of the types has a GPU of 16 GiB, otherwise 8.

    The weights of Stable Diffusion XL alone take 7 GiB in half precision; that 8 images of 1024 x 1024
    pixels need more than the rest of 16 GiB is an estimate. Larger GPUs have memory for more than 8 images,
    but 8 keep them busy: 16 are estimated to take twice as long.
    """
    smallest = min(_GPU_MEMORY_GIB[each.split(".")[1]] for each in instance_types)
    return _SMALL_BATCH if smallest <= _SMALL_GPU_GIB else _BATCH
