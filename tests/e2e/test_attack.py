"""Hostile images and bodies, sent to the whole system."""

import pytest

from bench.attack import BODIES, IMAGES, attack_with_body, attack_with_image
from local.stack import LocalStack

MEMORY_LIMIT = 1 << 30


@pytest.mark.parametrize("name", ["16-bit PNG, 7071 x 7071", "WebP, 16383 x 3000"])
def test_hostile_images_stay_within_the_memory_limit_and_a_good_job_succeeds(
    stack: LocalStack, name: str
) -> None:
    cost = attack_with_image(stack, IMAGES[name](), jobs=3)
    assert cost.memory_bytes < MEMORY_LIMIT
    assert set(cost.outcomes) <= {"succeeded", "invalid_input_image", "input_image_too_large"}


@pytest.mark.parametrize("name", BODIES)
def test_hostile_bodies_get_a_short_answer(stack: LocalStack, name: str) -> None:
    status, answer_bytes, _ = attack_with_body(stack, BODIES[name]())
    assert 400 <= status < 500
    assert answer_bytes < 64 << 10
