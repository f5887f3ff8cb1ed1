"""Scheduler steps of a slot: classifier-free guidance, counting, and no side effects of its inputs."""

import pytest
import torch

from inference.diffusion.denoising.slot import Slot
from tests.inference.diffusion.denoising.loop_harness import LoopHarness

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def create_slot(loop: LoopHarness) -> Slot:
    loop.add_request(steps=2, guidance_scale=5.0, sampler="euler")
    return loop.loop._slots[-1]


def noise(seed: int) -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_classifier_free_guidance_combines_the_predictions(loop: LoopHarness) -> None:
    slot, combined = create_slot(loop), create_slot(loop)
    negative, positive = noise(1), noise(2)
    slot.step((negative, positive))
    combined.step((negative + 5.0 * (positive - negative),))
    assert torch.equal(slot.latents, combined.latents)


def test_a_slot_is_finished_after_all_its_evaluations(loop: LoopHarness) -> None:
    slot = create_slot(loop)
    finished = []
    for seed in range(slot.total_evaluations):
        finished.append(slot.finished)
        slot.step((noise(seed),))
    assert finished == [False, False]
    assert slot.finished


def test_the_model_input_can_be_computed_repeatedly(loop: LoopHarness) -> None:
    slot = create_slot(loop)
    assert torch.equal(slot.model_input(), slot.model_input())
