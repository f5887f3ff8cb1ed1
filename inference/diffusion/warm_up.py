"""The warm-up of a loaded engine, before the container is healthy."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest
from inference.diffusion.modules.kernel_selection import fastest_convolutions
from inference.engine.interface import Callbacks, Engine, GenerationOutput, Inputs

_LOGGER = logging.getLogger(__name__)

_LIMIT_S = 120
"""After this, the container serves without having been warmed up further."""

_STEPS = 4
"""Enough for a CUDA graph to be recorded; see `inference.diffusion.modules.graphed_unet`."""


def warm_up(
    engine: Engine,
    model: ModelDeclaration,
    *,
    max_batch_size: int,
    select_convolutions: bool,
    limit_s: float = _LIMIT_S,
) -> None:
    """Generates images of the model's default size, alone and in the largest batch, and waits for them.

    The first jobs then do not wait for libraries to load their kernels, nor for CUDA graphs. Failures are
    logged only.

    Args:
        engine: has no other requests.
        model: its defaults are those of most jobs.
        max_batch_size: images in a forward pass at most.
        select_convolutions: let cuDNN time its algorithms for the shapes of these images, and keep the
            fastest. They can differ between containers, and images then differ in their last bits.
        limit_s: on the duration.
    """
    start = time.monotonic()
    with fastest_convolutions() if select_convolutions else nullcontext():
        for generation in _generations(model, max_batch_size):
            output = engine.submit(generation, Inputs(), Callbacks())
            if not _succeeds(output, start + limit_s - time.monotonic()):
                return
    _LOGGER.info("warmed up", extra={"seconds": round(time.monotonic() - start, 1)})


def _generations(model: ModelDeclaration, max_batch_size: int) -> Iterator[Generation]:
    request = JobRequest(prompt="a red circle", steps=min(_STEPS, model.limits.max_steps), count=1)
    generation = Generation.resolve(request, model, job_id=new_job_id(), seed=0)
    for count in sorted({1, max_batch_size}):
        yield generation.model_copy(update={"count": count})


def _succeeds(output: Future[GenerationOutput], limit_s: float) -> bool:
    try:
        output.result(max(limit_s, 0))
    except TimeoutError:
        output.cancel()
        _LOGGER.warning("the warm-up has been stopped: it took too long")
    except Exception:
        _LOGGER.exception("the warm-up has failed")
    else:
        return True
    return False
