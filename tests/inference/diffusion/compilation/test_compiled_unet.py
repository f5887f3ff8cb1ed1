"""Use of compiled code: shapes, weights, trials, and eager calls wherever code cannot be used."""

import gc
import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from inference.diffusion.compilation import compiled_unet
from inference.diffusion.compilation.compiled_unet import CompiledUNet
from inference.diffusion.compilation.compiler_process import CompilationError
from inference.diffusion.compilation.packages import Packages
from inference.diffusion.compilation.specification import Specification
from tests.inference import tiny_models
from tests.inference.artifacts.in_memory_compile_cache import InMemoryCompileCache
from tests.inference.conftest import Log
from tests.inference.diffusion.compilation.calls import FakeClock, FakePackages, call, inputs
from tests.waiting import LIMIT_S, wait_until

TRIAL = 11
"""Calls: one to compare, and five of either code."""


class Compiled:
    """A compiled UNet with fake packages.

    Attributes:
        unet: the UNet.
        state: of its adapters.
        gate: compilations wait for it.
        error: raised by compilations, unless None.
    """

    def __init__(self, unet: Any, *, clock: FakeClock | None = None) -> None:
        self.unet = unet
        self.state: object = ()
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.cache = InMemoryCompileCache()
        self.fake = FakePackages(unet)
        self.compiled: list[str] = []
        packages = Packages(self.cache, self._compile, load=self.fake.load)
        clock = clock or FakeClock()
        self.denoiser = CompiledUNet(
            unet, packages, unet_state=lambda: self.state, measure_call=clock.measure
        )

    def _compile(self, specification: Specification) -> bytes:
        assert self.gate.wait(LIMIT_S)
        if self.error is not None:
            raise self.error
        self.compiled.append(specification.shape)
        return b"code"

    @property
    def runs(self) -> int:
        """Of all packages."""
        return sum(package.runs for package in self.fake.loaded.values())

    def call(self, samples: int = 1, **arguments: Any) -> torch.Tensor:
        """The result for a number of samples."""
        return call(self.denoiser, inputs(self.unet, samples), **arguments)

    def code(self, samples: int = 1) -> object:
        """Identifies the code for a number of samples."""
        tensors = inputs(self.unet, samples)
        return self.denoiser.code(
            tensors["sample"],
            tensors["timestep"],
            encoder_hidden_states=tensors["encoder_hidden_states"],
            added_cond_kwargs=None,
            return_dict=False,
        )

    def get_ready(self, samples: int = 1, *, trial: int = TRIAL) -> None:
        """Waits for the code, and passes its trial."""
        before = len(self.fake.loaded)
        self.call(samples)
        wait_until(lambda: len(self.fake.loaded) > before)
        for _ in range(trial):
            self.call(samples)


@pytest.fixture
def unet(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model).unet


@pytest.fixture
def compiled(unet: Any) -> Iterator[Compiled]:
    compiled = Compiled(unet)
    yield compiled
    compiled.gate.set()


def test_the_unet_runs_eagerly_until_its_code_is_ready(compiled: Compiled) -> None:
    compiled.gate.clear()
    eager = compiled.call()
    assert torch.equal(compiled.call(), eager)
    compiled.gate.set()
    wait_until(lambda: bool(compiled.fake.loaded))
    for _ in range(TRIAL):
        torch.testing.assert_close(compiled.call(), eager)
    runs = compiled.runs
    torch.testing.assert_close(compiled.call(), eager)
    assert compiled.runs == runs + 1


def test_ready_shapes_stay_compiled_while_another_is_compiled(compiled: Compiled) -> None:
    compiled.get_ready(1)
    compiled.gate.clear()
    compiled.call(2)
    runs = compiled.runs
    for _ in range(3):
        compiled.call(1)
    assert compiled.runs == runs + 3


def test_each_shape_is_compiled_once(compiled: Compiled) -> None:
    for samples in (1, 2):
        compiled.get_ready(samples)
    compiled.call(1)
    compiled.call(2)
    assert compiled.compiled == ["1x4x8x8", "2x4x8x8"]


def test_calls_with_residuals_are_not_compiled(compiled: Compiled, unet: Any) -> None:
    compiled.get_ready()
    runs = compiled.runs
    compiled.call(mid_block_additional_residual=torch.zeros(1, 16, 4, 4))
    assert compiled.runs == runs


def test_slower_code_is_not_used(unet: Any, log: Log) -> None:
    compiled = Compiled(unet, clock=FakeClock(compiled_s=1.5))
    compiled.get_ready()
    runs = compiled.runs
    compiled.call()
    assert compiled.runs == runs
    (line,) = log.lines_with("compiled_ms")
    assert (line["eager_ms"], line["compiled_ms"]) == (1000, 1500)


def test_wrong_code_is_not_used_and_its_results_are_not_returned(compiled: Compiled, log: Log) -> None:
    compiled.fake.factor = 1.1
    eager = compiled.call()
    wait_until(lambda: bool(compiled.fake.loaded))
    for _ in range(TRIAL):
        assert torch.equal(compiled.call(), eager)
    assert compiled.runs == 1
    assert "its result differs by 10%" in log.text


def test_replaced_weights_are_used_at_once_and_so_are_those_put_back(compiled: Compiled) -> None:
    compiled.get_ready()
    original = compiled.unet.conv_out.weight
    plain = call(compiled.unet, inputs(compiled.unet))
    compiled.unet.conv_out.weight = nn.Parameter(original * 2, requires_grad=False)
    compiled.state = "merged"
    changed = call(compiled.unet, inputs(compiled.unet))
    assert not torch.allclose(changed, plain)
    runs = compiled.runs
    torch.testing.assert_close(compiled.call(), changed)
    compiled.unet.conv_out.weight = original
    compiled.state = ()
    torch.testing.assert_close(compiled.call(), plain)
    assert compiled.runs == runs + 2


def test_code_for_another_shape_uses_the_replaced_weights_too(compiled: Compiled) -> None:
    compiled.get_ready(1)
    compiled.get_ready(2)
    compiled.unet.conv_out.weight = nn.Parameter(compiled.unet.conv_out.weight * 2, requires_grad=False)
    compiled.state = "merged"
    for samples in (2, 1):
        expected = call(compiled.unet, inputs(compiled.unet, samples))
        torch.testing.assert_close(compiled.call(samples), expected)


def test_adapted_layers_run_eagerly(compiled: Compiled) -> None:
    compiled.get_ready()
    original = compiled.unet.conv_out
    compiled.unet.conv_out = nn.Sequential(original)
    compiled.state = "adapted"
    runs = compiled.runs
    compiled.call()
    assert (compiled.runs, compiled.code()) == (runs, "eager")
    compiled.unet.conv_out = original
    compiled.state = ()
    compiled.call()
    assert compiled.runs == runs + 1


def test_weights_of_other_layouts_run_eagerly(compiled: Compiled) -> None:
    compiled.get_ready()
    weight = compiled.unet.conv_in.weight
    compiled.unet.conv_in.weight = nn.Parameter(
        weight.contiguous(memory_format=torch.channels_last), requires_grad=False
    )
    compiled.state = "other"
    runs = compiled.runs
    compiled.call()
    assert compiled.runs == runs


def test_the_code_of_a_shape_has_a_value_of_its_own_before_during_and_after_the_trial(
    compiled: Compiled,
) -> None:
    codes = [compiled.code()]
    compiled.get_ready(trial=0)
    for _ in range(TRIAL):
        codes.append(compiled.code())
        compiled.call()
    codes.append(compiled.code())
    assert len(set(codes)) == TRIAL + 2
    compiled.call()
    assert compiled.code() == codes[-1]
    assert compiled.code(2) == codes[0]


def test_what_cannot_be_compiled_is_logged_once_and_stays_eager(compiled: Compiled, log: Log) -> None:
    compiled.error = CompilationError("no memory")
    eager = compiled.call()
    wait_until(lambda: "could not be compiled" in log.text)
    for _ in range(3):
        assert torch.equal(compiled.call(), eager)
    assert log.text.count("could not be compiled for 1x4x8x8; it stays eager: no memory") == 1
    assert not compiled.fake.loaded


def test_other_unets_have_other_packages_and_the_same_unet_with_other_weights_the_same(
    compiled: Compiled, demo_model: Path
) -> None:
    compiled.get_ready()
    finetuned = deepcopy(compiled.unet)
    with torch.no_grad():
        finetuned.conv_out.weight.mul_(2)
    others = [Compiled(finetuned), Compiled(tiny_models.inpainting(demo_model).unet)]
    for other in others:
        other.get_ready()
    keys = [next(iter(each.cache.packages)) for each in (compiled, *others)]
    assert keys[0] == keys[1] != keys[2]


def test_compilations_end_with_the_engine(unet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compiling, closed = threading.Event(), threading.Event()

    class Compiler:
        def compile(self, _specification: Specification) -> bytes:
            compiling.set()
            assert closed.wait(LIMIT_S)
            raise CompilationError("closed")

        def close(self) -> None:
            closed.set()

    monkeypatch.setattr(compiled_unet, "CompilerProcess", Compiler)
    denoiser = compiled_unet.compiled_unet(unet, InMemoryCompileCache(), unet_state=tuple)
    call(denoiser, inputs(unet))
    assert compiling.wait(LIMIT_S)
    assert not closed.is_set()
    del denoiser
    gc.collect()
    assert closed.is_set()
