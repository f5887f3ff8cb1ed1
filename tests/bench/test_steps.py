"""The benchmark of a step besides the UNet."""

import sys

import pytest
import torch

from bench.steps.__main__ import main
from bench.steps.on_gpu import StepProfile
from bench.steps.operations import OperationCounter


def test_the_tables_have_a_row_for_each_sampler_and_one_for_all_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--size 64 --steps 4 --images 1 2 --share-at 2 --samplers euler ddim"
    monkeypatch.setattr(sys, "argv", ["steps", *options.split()])
    assert main() == 0
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    names = ["| sampler", "| ---", "| euler", "| ddim", "| all at once"]
    assert rows == names * 2


def test_views_and_allocations_are_no_operations_and_foreach_is_one() -> None:
    tensors = [torch.empty(2, 2, device="meta") for _ in range(3)]
    with OperationCounter("meta") as counter:
        torch._foreach_add_(tensors, 1.0)
        tensors[0].view(4)[:2].to(torch.float32)
        torch.empty_like(tensors[0])
        tensors[0].to(torch.bfloat16)
        torch.zeros(2).to("meta")
        torch.ones(2) + 1
    assert counter.operations.launches == 3
    assert counter.operations.copies == 1
    assert set(counter.operations.cpu) >= {"add"}


def test_a_profile_tells_kernels_from_copies_and_waits() -> None:
    events = [
        ("cudaLaunchKernel", False),
        ("multi_tensor_apply_kernel", True),
        ("cat_kernel", True),
        ("Memcpy HtoD (Pinned -> Device)", True),
        ("Memcpy HtoD (Pageable -> Device)", True),
        ("Memset (Device)", True),
        ("cudaStreamSynchronize", False),
        ("cudaEventSynchronize", False),
    ]
    assert StepProfile.of(events, steps=2) == StepProfile(
        kernels=1, copies=1, blocking_copies=0.5, synchronisations=0.5
    )
