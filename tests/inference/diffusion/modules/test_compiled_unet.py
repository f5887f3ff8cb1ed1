"""Compiled code: made beside the drawing, used when it is there, kept for the next container."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.modules.compiled_unet import CompiledUNet
from tests.inference import tiny_models
from tests.inference.conftest import Log
from tests.inference.fake_engine import wait_until


class Shelf:
    """Keeps compiled code in memory."""

    def __init__(self) -> None:
        self.content: bytes | None = None

    def read(self, machine: str) -> bytes | None:
        return self.content

    def keep(self, machine: str, artifacts: bytes) -> None:
        self.content = artifacts


class Backend:
    """A compiler that takes its time, and leaves the code as it is."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.made = 0
        self.run = 0
        self.error: Exception | None = None

    def __call__(self, graph: Any, _inputs: Any) -> Any:
        assert self.gate.wait(20)
        if self.error is not None:
            raise self.error
        self.made += 1

        def code(*arguments: Any) -> Any:
            self.run += 1
            return graph.forward(*arguments)

        return code


pytestmark = pytest.mark.usefixtures("engine_cores")
"""Code is made for a number of cores."""


@pytest.fixture(autouse=True)
def _forget_compiled_code() -> None:
    torch.compiler.reset()


@pytest.fixture
def unet(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model).unet


def ask(compilation: CompiledUNet, rows: int = 1, **told: Any) -> torch.Tensor:
    with torch.inference_mode():
        answer: torch.Tensor = compilation(
            torch.ones(rows, 4, 8, 8),
            torch.full((rows,), 500.0),
            encoder_hidden_states=torch.ones(rows, 77, 32),
            added_cond_kwargs=None,
            return_dict=False,
            **told,
        )[0]
    return answer


def test_the_unet_answers_until_its_code_is_ready_and_then_the_code_does(unet: Any) -> None:
    backend = Backend()
    compilation = CompiledUNet(unet, Shelf(), backend=backend)
    before = ask(compilation)
    assert backend.run == 0
    backend.gate.set()
    wait_until(lambda: bool(compilation._ready))
    run = backend.run
    after = ask(compilation)
    assert backend.run > run
    assert torch.equal(before, after)


def test_code_is_made_once_for_every_shape(unet: Any) -> None:
    backend = Backend()
    backend.gate.set()
    compilation = CompiledUNet(unet, Shelf(), backend=backend)
    for rows in (1, 2, 1, 2):
        ask(compilation, rows)
    wait_until(lambda: len(compilation._ready) == 2)
    made = backend.made
    ask(compilation, 1)
    ask(compilation, 2)
    assert backend.made == made


def test_what_the_code_was_not_made_for_is_answered_without_it(unet: Any) -> None:
    backend = Backend()
    backend.gate.set()
    compilation = CompiledUNet(unet, Shelf(), backend=backend)
    residual = torch.zeros(1, 16, 4, 4)
    ask(compilation, mid_block_additional_residual=residual)
    assert not compilation._requested
    assert backend.made == 0


def test_a_unet_that_has_changed_is_not_compiled_again_in_front_of_a_client(unet: Any) -> None:
    backend = Backend()
    backend.gate.set()
    compilation = CompiledUNet(unet, Shelf(), backend=backend)
    ask(compilation)
    wait_until(lambda: bool(compilation._ready))
    made, run = backend.made, backend.run
    unet.conv_in = torch.nn.Sequential(unet.conv_in)
    ask(compilation)
    assert (backend.made, backend.run) == (made, run)


def test_a_compiler_that_fails_costs_nothing_but_speed(unet: Any, log: Log) -> None:
    backend = Backend()
    backend.error = ValueError("no compiler here")
    backend.gate.set()
    compilation = CompiledUNet(unet, Shelf(), backend=backend)
    before = ask(compilation)
    wait_until(lambda: "stays eager" in log.text)
    assert torch.equal(ask(compilation), before)
