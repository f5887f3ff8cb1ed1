"""torch.compile for the UNet, in the background."""

import logging
import platform
import re
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any

import torch

from inference.diffusion.modules.torch_threads import spare_a_core
from inference.engine.interface import CompileCache

_LOGGER = logging.getLogger(__name__)
_MAX_SHAPES = 64
"""Input shapes to compile for: a model's few image sizes, times the batch sizes."""


class CompiledUNet:
    """A UNet that is compiled for each input shape when that is first seen, and runs eagerly meanwhile.

    Calls with LoRAs or ControlNets always run eagerly. Compiled code rounds differently: images differ from
    eager ones in their last bits.
    """

    def __init__(
        self, unet: Any, cache: CompileCache, *, backend: str | Callable[..., Any] = "inductor"
    ) -> None:
        """Loads the artifacts of earlier containers.

        Args:
            unet: the module to compile.
            cache: stores the compiler's artifacts.
            backend: of torch.compile.
        """
        torch._dynamo.config.recompile_limit = max(_MAX_SHAPES, torch._dynamo.config.recompile_limit)  # noqa: SLF001
        self._machine = _machine()
        artifacts = cache.read(self._machine)
        if artifacts is not None:
            torch.compiler.load_cache_artifacts(artifacts)
        self._unet = unet
        self._cache = cache
        self._compiled: Any = torch.compile(unet, backend=backend, dynamic=False)
        self._compiling = Lock()
        self._requested: set[object] = set()
        self._ready: set[object] = set()

    def __call__(self, sample: torch.Tensor, timesteps: torch.Tensor, **arguments: Any) -> Any:
        """The UNet's output; see `diffusers.UNet2DConditionModel.forward`."""
        shape = _shape(sample, arguments)
        if shape in self._ready and self._compiling.acquire(blocking=False):
            try:
                with torch.compiler.set_stance("eager_on_recompile"):
                    return self._compiled(sample, timesteps, **arguments)
            finally:
                self._compiling.release()
        if shape is not None and shape not in self._requested and len(self._requested) < _MAX_SHAPES:
            self._requested.add(shape)
            zeros = {name: _zeros_like(value) for name, value in arguments.items()}
            inputs = (shape, _zeros_like(sample), _zeros_like(timesteps), zeros)
            Thread(target=self._compile, args=inputs, name="compiler", daemon=True).start()
        return self._unet(sample, timesteps, **arguments)

    def _compile(
        self, shape: object, sample: torch.Tensor, timesteps: torch.Tensor, arguments: dict[str, Any]
    ) -> None:
        spare_a_core()
        try:
            with self._compiling, torch.inference_mode():
                self._compiled(sample, timesteps, **arguments)
                saved = torch.compiler.save_cache_artifacts()
        except Exception:
            _LOGGER.exception("the UNet could not be compiled for %s; it stays eager", shape)
            return
        self._ready.add(shape)
        _LOGGER.info("compiled for %s", shape)
        if saved is not None:
            self._cache.write(self._machine, saved[0])


def _machine() -> str:
    """Identifies the machines that can share artifacts: GPU or CPU, and torch version."""
    processor = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{processor}-torch-{torch.__version__}")


def _shape(sample: torch.Tensor, arguments: dict[str, Any]) -> object:
    """The input shapes to compile for; None for calls that are not compiled."""
    plain = {"encoder_hidden_states", "added_cond_kwargs", "return_dict"}
    if not arguments.keys() <= plain:
        return None
    return (tuple(sample.shape), tuple(arguments["encoder_hidden_states"].shape))


def _zeros_like(value: Any) -> Any:
    """Zeros in place of tensors, also inside dicts; anything else unchanged."""
    if isinstance(value, torch.Tensor):
        return torch.zeros_like(value)
    return {name: _zeros_like(each) for name, each in value.items()} if isinstance(value, dict) else value
