"""The operations of a step besides the UNet do not grow with the batch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bench.steps.loop import InstantUNet, StepLoop
from bench.steps.measuring import count_operations
from contract.samplers import SAMPLERS
from tests.inference import tiny_models

MAX_LAUNCHES = 25
EVALUATIONS = 5
SIZE = 64


@pytest.fixture(scope="module", params=[torch.bfloat16, torch.float32], ids=str)
def loop(request: pytest.FixtureRequest, demo_model: Path) -> Iterator[StepLoop]:
    """A loop on `meta` in place of a GPU: reading a value from it, which would wait for a GPU, raises."""
    pipeline = tiny_models.sd(demo_model).to(dtype=request.param).to("meta")
    loop = StepLoop(pipeline, InstantUNet(), scheduler_device="cuda")
    yield loop
    loop.close()


@pytest.mark.parametrize("sampler", [each.name for each in SAMPLERS])
def test_a_step_launches_few_operations_and_as_many_for_one_image_as_for_eight(
    loop: StepLoop, sampler: str
) -> None:
    launches = {
        images: [
            each.launches for each in count_operations(loop, [sampler] * images, steps=EVALUATIONS, size=SIZE)
        ]
        for images in range(1, 9)
    }
    assert 0 < max(launches[1]) <= MAX_LAUNCHES
    assert all(launches[images] == launches[1] for images in launches)


@pytest.mark.parametrize(("sampler", "copies"), [("ddim", 1), ("euler_a", 2)])
def test_timesteps_and_noise_of_all_images_are_copied_together(
    loop: StepLoop, sampler: str, copies: int
) -> None:
    steps = count_operations(loop, [sampler] * 8, steps=EVALUATIONS, size=SIZE)
    assert max(each.copies for each in steps) == copies
