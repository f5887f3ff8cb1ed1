"""Scheduler steps of a slot: classifier-free guidance, counting, and no side effects of its inputs."""

import pytest
import torch

from inference.diffusion.denoising.guidance import combine_predictions
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.denoising.solver_step import advance, scale_samples
from tests.inference.diffusion.denoising.loop_harness import LoopHarness

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def create_slot(loop: LoopHarness) -> Slot:
    loop.add_request(steps=2, guidance_scale=5.0, sampler="euler")
    return loop.loop._slots[-1]


def noise(seed: int) -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_classifier_free_guidance_combines_the_predictions(loop: LoopHarness) -> None:
    slot = create_slot(loop)
    negative, positive = noise(1), noise(2)
    (combined,) = combine_predictions([slot], [(negative, positive)])
    assert torch.equal(combined, negative + 5.0 * (positive - negative))


def test_guidance_is_combined_for_slots_with_and_without_it_at_once(loop: LoopHarness) -> None:
    with_guidance, without = create_slot(loop), create_slot(loop)
    negative, positive, alone = noise(1), noise(2), noise(3)
    combined = combine_predictions([with_guidance, without], [(negative, positive), (alone,)])
    assert torch.equal(combined[0], negative + 5.0 * (positive - negative))
    assert torch.equal(combined[1], alone)


def test_a_slot_is_finished_after_all_its_evaluations(loop: LoopHarness) -> None:
    slot = create_slot(loop)
    finished = []
    for seed in range(slot.total_evaluations):
        finished.append(slot.finished)
        scale_samples([slot])
        advance([slot], [noise(seed)])
    assert finished == [False, False]
    assert slot.finished


def test_the_model_input_can_be_computed_repeatedly(loop: LoopHarness) -> None:
    slot = create_slot(loop)
    (first,), (second,) = scale_samples([slot]), scale_samples([slot])
    assert torch.equal(first, second)
