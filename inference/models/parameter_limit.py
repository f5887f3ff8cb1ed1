"""A limit on the number of parameters of a module that is built from a configuration file."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

_FACTOR = 2
_MORE = 1_000


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
    thread = get_ident()
    remaining = _FACTOR * tensors + _MORE

    def count(_module: torch.nn.Module, _name: str, _parameter: torch.nn.Parameter) -> None:
        nonlocal remaining
        if get_ident() == thread:
            remaining -= 1
            if remaining < 0:
                raise TooManyParametersError

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
