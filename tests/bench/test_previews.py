"""The benchmark of previews."""

import sys

import pytest

from bench.previews import main


@pytest.mark.filterwarnings("ignore")
def test_the_table_has_a_row_for_each_number_of_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["previews", *["--size", "64", "--steps", "1", "2", "--pairs", "2", "2"]]
    )
    assert main() == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [(row[0], row[3]) for row in rows] == [("| 1", "1.0"), ("| 2", "1.0")]
