"""Compiled code for the UNet, made beside the drawing."""

import logging
import platform
import re
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any

import torch

from inference.diffusion.modules.torch_threads import spare_a_core
from inference.engine.interface import CompiledCode

_LOGGER = logging.getLogger(__name__)
_SHAPES = 64
"""Shapes that code is made for, and kept; a model's few sizes, times the sizes of buckets."""


class Compilation:
    """The UNet, which becomes faster: for shapes that it has met, as soon as their code is there.

    Until then, and for whatever the code was not made for (adapters, ControlNets), the UNet answers as it is.
    Compiled code rounds otherwise than the UNet itself: pictures differ in their last bits.
    """

    def __init__(
        self, unet: Any, code: CompiledCode, *, backend: str | Callable[..., Any] = "inductor"
    ) -> None:
        """Takes over what is left of earlier containers.

        Args:
            unet: what is compiled.
            code: where the code is kept.
            backend: of torch.compile.
        """
        torch._dynamo.config.recompile_limit = max(_SHAPES, torch._dynamo.config.recompile_limit)  # noqa: SLF001
        self._machine = _machine()
        artifacts = code.read(self._machine)
        if artifacts is not None:
            torch.compiler.load_cache_artifacts(artifacts)
        self._unet = unet
        self._code = code
        self._compiled: Any = torch.compile(unet, backend=backend, dynamic=False)
        self._at_work = Lock()
        self._wanted: set[object] = set()
        self._ready: set[object] = set()

    def __call__(self, sample: torch.Tensor, timesteps: torch.Tensor, **told: Any) -> Any:
        """What the UNet answers."""
        shape = _shape(sample, told)
        if shape in self._ready and self._at_work.acquire(blocking=False):
            try:
                with torch.compiler.set_stance("eager_on_recompile"):
                    return self._compiled(sample, timesteps, **told)
            finally:
                self._at_work.release()
        if shape is not None and shape not in self._wanted and len(self._wanted) < _SHAPES:
            self._wanted.add(shape)
            blank = {name: _blank(value) for name, value in told.items()}
            work = (shape, _blank(sample), _blank(timesteps), blank)
            Thread(target=self._make, args=work, name="compiler", daemon=True).start()  # nobody waits for it
        return self._unet(sample, timesteps, **told)

    def _make(
        self, shape: object, sample: torch.Tensor, timesteps: torch.Tensor, told: dict[str, Any]
    ) -> None:
        spare_a_core()
        try:
            with self._at_work, torch.inference_mode():
                self._compiled(sample, timesteps, **told)
                made = torch.compiler.save_cache_artifacts()
        except Exception:
            _LOGGER.exception("the UNet could not be compiled for %s; it goes on as it is", shape)
            return
        self._ready.add(shape)
        _LOGGER.info("compiled for %s", shape)
        if made is not None:
            self._code.keep(self._machine, made[0])


def _machine() -> str:
    """What code is good for: the processor's name and the compiler's version."""
    processor = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{processor}-torch-{torch.__version__}")


def _shape(sample: torch.Tensor, told: dict[str, Any]) -> object:
    """What code is made for; None where it is not worth it."""
    plain = {"encoder_hidden_states", "added_cond_kwargs", "return_dict"}
    if not told.keys() <= plain:
        return None
    return (tuple(sample.shape), tuple(told["encoder_hidden_states"].shape))


def _blank(value: Any) -> Any:
    """The same in form, and zero."""
    if isinstance(value, torch.Tensor):
        return torch.zeros_like(value)
    return {name: _blank(each) for name, each in value.items()} if isinstance(value, dict) else value
