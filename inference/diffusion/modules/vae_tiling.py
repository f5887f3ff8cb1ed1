"""VAE tiling, on when a whole image does not fit the GPU's memory."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

_T = TypeVar("_T")

Concede = Callable[[str], None]
"""Hears what has been done, in words for the client."""


def in_tiles_if_need_be(vae: Any, compute: Callable[[], _T], concede: Concede) -> _T:
    """What `compute` gives; where it runs out of memory, what it gives when the VAE works in tiles.

    Raises:
        torch.OutOfMemoryError: tiles do not fit either.
    """
    try:
        return compute()
    except torch.OutOfMemoryError:
        pass  # handled below: here the error still holds on to the memory
    torch.cuda.empty_cache()
    concede("encoded or decoded in tiles: the whole image did not fit the memory")
    vae.enable_tiling()
    try:
        return compute()
    finally:
        vae.disable_tiling()
