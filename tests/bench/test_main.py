"""The benchmark runs, and counts what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.load import Measured
from bench.roofline import work
from tests.conftest import ROOT
from tests.inference import tiny_models


def test_the_work_of_an_image_is_its_steps_and_its_decoding(demo_model: Path) -> None:
    for pipeline in (tiny_models.sd(demo_model), tiny_models.sdxl(demo_model)):
        one, two, three = (work(pipeline, size=64, steps=steps) for steps in (1, 2, 3))
        assert 0 < two - one == three - two
        assert one > two - one


def test_percentiles_are_latencies_that_were_seen() -> None:
    measured = Measured(4, 2.0, (0.4, 0.1, 0.3, 0.2))
    assert measured.images_per_second == 2
    assert (measured.percentile(0.5), measured.percentile(0.95)) == (0.3, 0.4)


@pytest.mark.parametrize("arms", [("this engine", "diffusers, one by one")])
def test_the_command_prints_a_row_for_every_arm(arms: tuple[str, ...]) -> None:
    options = "--size 64 --steps 1 --rounds 1 --clients 1 2 --starts 1 --arms"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench", *options.split(), *arms],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    for arm in arms:
        assert sum(f"| {arm} |" in row for row in rows) == 3
