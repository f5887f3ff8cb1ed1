from pathlib import Path

import pytest
from pydantic import ValidationError

from contract import metrics
from infra.prices import Prices
from operations.cost.assumptions import ASSUMPTIONS, Assumptions


def test_every_speed_has_a_known_family_and_a_gpu_with_a_price() -> None:
    assumptions, prices = Assumptions.read(), Prices.read()
    gpus = {instance.gpu for instance in prices.instances.values()}
    assert {speed.family for speed in assumptions.speeds} <= set(assumptions.families)
    assert {speed.gpu for speed in assumptions.speeds} <= gpus


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (128, 128, "Stable Diffusion 1.5"),
        (512, 768, "Stable Diffusion 1.5"),
        (1024, 1024, "Stable Diffusion XL"),
        (832, 1216, "Stable Diffusion XL"),
    ],
)
def test_the_family_of_a_model_has_the_most_similar_image_size(width: int, height: int, name: str) -> None:
    assert Assumptions.read().family_of(width, height).name == name


def test_all_metrics_of_the_container_are_counted() -> None:
    names = {name for name in vars(metrics) if name.isupper()}
    kinds = {name for name in names if not name.endswith(("NAMESPACE", "_DIMENSION", "_PROPERTY"))}
    assert Assumptions.read().job.container_metrics == len(kinds)


def test_an_impossible_assumption_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "assumptions.toml"
    path.write_text(ASSUMPTIONS.read_text().replace("sessions_per_day = 2", "sessions_per_day = 0"))
    with pytest.raises(ValidationError, match="sessions_per_day"):
        Assumptions.read(path)
