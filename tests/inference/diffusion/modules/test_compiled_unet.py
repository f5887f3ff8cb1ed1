"""Background compilation of the UNet, eager execution meanwhile, and the artifact cache."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.modules.compiled_unet import CompiledUNet
from tests.inference import tiny_models
from tests.inference.conftest import Log
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.usefixtures("engine_thread_count")
"""Dynamo guards on torch's thread count, and the background thread compiles with the engine thread's."""


class InMemoryCompileCache:
    def __init__(self) -> None:
        self.artifacts: dict[str, bytes] = {}

    def read(self, machine: str) -> bytes | None:
        return self.artifacts.get(machine)

    def write(self, machine: str, artifacts: bytes) -> None:
        self.artifacts[machine] = artifacts


class FakeBackend:
    """A torch.compile backend that leaves graphs as they are, and counts.

    Attributes:
        gate: compilation blocks until it is set.
        compiled: number of graphs compiled.
        runs: number of runs of compiled graphs.
        error: raised by compilation, unless None.
    """

    def __init__(self, *, blocked: bool = False, error: Exception | None = None) -> None:
        self.gate = threading.Event()
        if not blocked:
            self.gate.set()
        self.compiled = 0
        self.runs = 0
        self.error = error

    def __call__(self, graph: Any, _inputs: Any) -> Any:
        assert self.gate.wait(LIMIT_S)
        if self.error is not None:
            raise self.error
        self.compiled += 1

        def run(*arguments: Any) -> Any:
            self.runs += 1
            return graph.forward(*arguments)

        return run


class SmallModule(torch.nn.Module):
    """A module with a UNet's arguments, which is quick to compile."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = torch.nn.Conv2d(4, 4, 1)

    def forward(
        self,
        sample: torch.Tensor,
        timesteps: torch.Tensor,
        *,
        encoder_hidden_states: torch.Tensor,
        added_cond_kwargs: dict[str, torch.Tensor] | None,
        return_dict: bool,
        mid_block_additional_residual: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor]:
        mean = encoder_hidden_states.mean(dim=(1, 2)) + timesteps
        return (self.conv_in(sample) + mean.view(-1, 1, 1, 1),)


@pytest.fixture(autouse=True)
def _reset_compiler() -> None:
    torch.compiler.reset()


@pytest.fixture
def module() -> SmallModule:
    return SmallModule()


def forward(unet: CompiledUNet, samples: int = 1, **arguments: Any) -> torch.Tensor:
    with torch.inference_mode():
        output: torch.Tensor = unet(
            torch.ones(samples, 4, 8, 8),
            torch.full((samples,), 500.0),
            encoder_hidden_states=torch.ones(samples, 77, 32),
            added_cond_kwargs=None,
            return_dict=False,
            **arguments,
        )[0]
    return output


def test_the_unet_runs_eagerly_until_it_is_compiled(demo_model: Path) -> None:
    backend = FakeBackend(blocked=True)
    unet = CompiledUNet(tiny_models.sd(demo_model).unet, InMemoryCompileCache(), backend=backend)
    eager = forward(unet)
    assert backend.runs == 0
    backend.gate.set()
    wait_until(lambda: bool(unet._ready))
    runs = backend.runs
    compiled = forward(unet)
    assert backend.runs > runs
    assert torch.equal(eager, compiled)


def test_each_shape_is_compiled_once(module: SmallModule) -> None:
    backend = FakeBackend()
    unet = CompiledUNet(module, InMemoryCompileCache(), backend=backend)
    for samples in (1, 2, 1, 2):
        forward(unet, samples)
    wait_until(lambda: len(unet._ready) == 2)
    compiled = backend.compiled
    forward(unet, 1)
    forward(unet, 2)
    assert backend.compiled == compiled


def test_calls_with_controlnet_residuals_are_not_compiled(module: SmallModule) -> None:
    backend = FakeBackend()
    unet = CompiledUNet(module, InMemoryCompileCache(), backend=backend)
    forward(unet, mid_block_additional_residual=torch.zeros(1, 16, 4, 4))
    assert not unet._requested
    assert backend.compiled == 0


def test_a_changed_unet_runs_eagerly_and_is_not_compiled_again(module: SmallModule) -> None:
    backend = FakeBackend()
    unet = CompiledUNet(module, InMemoryCompileCache(), backend=backend)
    forward(unet)
    wait_until(lambda: bool(unet._ready))
    compiled, runs = backend.compiled, backend.runs
    module.conv_in = torch.nn.Sequential(module.conv_in)
    forward(unet)
    assert (backend.compiled, backend.runs) == (compiled, runs)


def test_a_compiler_error_is_logged_and_the_unet_stays_eager(module: SmallModule, log: Log) -> None:
    backend = FakeBackend(error=ValueError("no compiler"))
    unet = CompiledUNet(module, InMemoryCompileCache(), backend=backend)
    before = forward(unet)
    wait_until(lambda: "stays eager" in log.text)
    assert torch.equal(forward(unet), before)


def test_artifacts_are_written_to_the_cache_and_loaded_by_the_next_container(
    module: SmallModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[bytes] = []
    monkeypatch.setattr(torch.compiler, "save_cache_artifacts", lambda: (b"artifacts", None))
    monkeypatch.setattr(torch.compiler, "load_cache_artifacts", loaded.append)
    cache = InMemoryCompileCache()
    forward(CompiledUNet(module, cache, backend=FakeBackend()))
    wait_until(lambda: bool(cache.artifacts))
    assert loaded == []
    CompiledUNet(module, cache, backend=FakeBackend())
    assert loaded == [b"artifacts"]
