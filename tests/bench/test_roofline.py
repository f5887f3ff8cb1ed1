"""Floating-point operations of an image."""

from pathlib import Path

from bench.roofline import flops_per_image
from tests.inference import tiny_models


def test_flops_are_those_of_each_step_and_of_decoding(demo_model: Path) -> None:
    for pipeline in (tiny_models.sd(demo_model), tiny_models.sdxl(demo_model)):
        one, two, three = (flops_per_image(pipeline, size=64, steps=steps) for steps in (1, 2, 3))
        assert 0 < two - one == three - two
        assert one > two - one
