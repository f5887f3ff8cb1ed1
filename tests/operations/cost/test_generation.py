import pytest

from operations.cost.assumptions import Assumptions
from operations.cost.generation import Generation


def generation(images: int, assumptions: Assumptions, *, tail: int = 900) -> Generation:
    return Generation(images, seconds=4, usd_per_hour=3.60, idle_tail_s=tail, usage=assumptions.usage)


def test_generation_costs_images_times_seconds_times_the_price(assumptions: Assumptions) -> None:
    # 9,000 x 4 s = 36,000 s = 10 h, at 3.60 an hour
    assert generation(9_000, assumptions).generation_usd == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("images", "sessions", "instances", "usd"),
    [
        (0, 0, 0, 0.0),
        (10, 10, 1, 12.0),  # fewer images than sessions: one per session; 10 x 1,200 s x 0.001
        (9_000, 30, 1, 36.0),  # 10 h in 30 sessions of 2 h; 30 x 1,200 s x 0.001
        (54_000, 30, 1, 36.0),  # 60 h: the limit of one instance
        (54_001, 30, 2, 72.0),
        (1_000_000, 30, 19, 684.0),  # 1,111.1 h / 60 h = 18.5
    ],
)
def test_each_session_starts_as_many_instances_as_it_needs(
    assumptions: Assumptions, images: int, sessions: int, instances: int, usd: float
) -> None:
    counted = generation(images, assumptions)
    assert (counted.sessions, counted.instances) == (sessions, instances)
    assert counted.start_and_idle_usd == pytest.approx(usd)


def test_a_longer_idle_tail_costs_more(assumptions: Assumptions) -> None:
    # 30 sessions x 2,400 s more x 0.001 a second
    longer = (
        generation(9_000, assumptions, tail=3_300).start_and_idle_usd
        - generation(9_000, assumptions).start_and_idle_usd
    )
    assert longer == pytest.approx(72.0)
