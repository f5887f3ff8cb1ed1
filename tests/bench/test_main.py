"""The benchmark's command."""

import sys

import pytest

from bench.__main__ import main

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("backends", "cold_starts"), [(("this engine", "diffusers"), 0), (("this engine",), 1)]
)
def test_the_tables_have_a_row_for_each_backend(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    backends: tuple[str, ...],
    cold_starts: int,
) -> None:
    options = f"--size 64 --steps 1 --rounds 1 --clients 1 2 --cold-starts {cold_starts} --backends"
    monkeypatch.setattr(sys, "argv", ["bench", *options.split(), *backends])
    assert main() == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    for backend in backends:
        assert sum(f"| {backend} |" in row for row in rows) == 2 + cold_starts
