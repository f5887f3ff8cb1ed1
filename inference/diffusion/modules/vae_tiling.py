"""VAE tiling as a fallback, when a whole image does not fit in GPU memory."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

RecordFallback = Callable[[str], None]
"""Called with a description for the client; see `inference.engine.interface.GenerationOutput.fallbacks`."""

_T = TypeVar("_T")


def with_tiling_fallback(vae: Any, compute: Callable[[], _T], record_fallback: RecordFallback) -> _T:
    """The result of `compute`, which is repeated with VAE tiling if it runs out of memory.

    Raises:
        torch.OutOfMemoryError: tiles do not fit either.
    """
    try:
        return compute()
    except torch.OutOfMemoryError:
        pass  # handled below: here the error still references the tensors
    torch.cuda.empty_cache()
    record_fallback("VAE tiling: the whole image did not fit in GPU memory")
    vae.enable_tiling()
    try:
        return compute()
    finally:
        vae.disable_tiling()
