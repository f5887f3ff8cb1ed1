"""The benchmark of the threads beside the engine thread."""

import sys

import pytest
import torch

from bench.neighbours.__main__ import main


@pytest.mark.filterwarnings("ignore")
def test_the_table_has_a_row_for_each_neighbour_and_nothing_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interval, cores = sys.getswitchinterval(), torch.get_num_threads()
    rows = ["request", "progress document", "the container at 11 images/s"]
    options = [
        "--pairs",
        "1",
        "--seconds",
        "0.01",
        "--start-seconds",
        "0.1",
        "--size",
        "64",
        "--switch-intervals-ms",
        "0.1",
    ]
    monkeypatch.setattr(sys, "argv", ["neighbours", *options, "--only", *rows])
    assert main() == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == rows
    assert (sys.getswitchinterval(), torch.get_num_threads()) == (interval, cores)
