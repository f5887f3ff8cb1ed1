"""A limit on the number of parameters of a module that is built from a configuration file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

_FACTOR = 2
_MORE = 1_000

_limits = threading.local()
"""`remaining`: parameters that the thread may still create; None, or not set: any number."""


class TooManyParametersError(ValueError):
    """A configuration describes a module with more parameters than the files have tensors."""


@contextmanager
def limit_parameters(tensors: int) -> Iterator[None]:
    """Limits the parameters that the calling thread creates in the block.

    A configuration file can otherwise describe a module that takes hours to build, even on the meta device.

    Args:
        tensors: number of tensors in the files; the limit is twice as high, with room for small modules.

    Raises:
        TooManyParametersError: a module has more parameters.
    """
    before = getattr(_limits, "remaining", None)
    _limits.remaining = _FACTOR * tensors + _MORE
    try:
        yield
    finally:
        _limits.remaining = before


def _count(_module: torch.nn.Module, _name: str, _parameter: torch.nn.Parameter) -> None:
    remaining = getattr(_limits, "remaining", None)
    if remaining is None:
        return
    if remaining == 0:
        raise TooManyParametersError
    _limits.remaining = remaining - 1


# once: a module that another thread builds meanwhile iterates over the hooks, and fails if they change
register_module_parameter_registration_hook(_count)
