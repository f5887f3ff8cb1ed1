"""The report of the benchmark on a GPU."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.gpu import __main__ as command
from bench.gpu.document import BEGIN, END, replace_tables
from bench.gpu.sections import Section, run_sections
from bench.gpu.throughput import Arm, Setting, measure_arms
from bench.roofline import flops_per_image
from bench.weights import random_pipeline
from tests.conftest import ROOT

DOCUMENT = f"# Performance\n\nBefore.\n\n{BEGIN}\n\nold\n\n{END}\n\nAfter.\n"


def section(title: str, *rows: tuple[str, ...], expected_s: float = 10, fails: bool = False) -> Section:
    def measure() -> Iterator[tuple[str, ...]]:
        yield from rows
        if fails:
            raise RuntimeError("no kernel\nimage is available")

    return Section(title, ("images", "ms"), expected_s, measure)


def test_only_the_tables_between_the_comments_change_and_can_be_replaced_again() -> None:
    once = replace_tables(DOCUMENT, "| new |\n")
    assert once == f"# Performance\n\nBefore.\n\n{BEGIN}\n\n| new |\n\n{END}\n\nAfter.\n"
    assert replace_tables(once, "| newer |") == once.replace("new", "newer")


@pytest.mark.parametrize("document", ["no comments", f"{END} {BEGIN}", DOCUMENT + BEGIN, DOCUMENT + END])
def test_a_document_without_its_comments_is_not_written(document: str) -> None:
    with pytest.raises(ValueError, match="must have"):
        replace_tables(document, "| new |")


def test_the_document_in_the_repository_has_the_comments() -> None:
    replace_tables((ROOT / "docs" / "performance.md").read_text(), "")


def test_rows_before_a_failure_are_kept_and_the_other_sections_are_measured() -> None:
    reports: list[str] = []
    failing, other = section("First", ("1", "2.5"), fails=True), section("Second", ("8", "4.0"))
    report = run_sections([failing, other], limit_s=60, on_report=reports.append)
    assert report == reports[-1]
    assert reports[0] in report
    assert "| 1 | 2.5 |\n\nFailed: RuntimeError: no kernel image is available" in report
    assert report.endswith("**Second**\n\n| images | ms |\n| --- | ---: |\n| 8 | 4.0 |")


def test_sections_that_do_not_fit_in_the_time_are_left_out_by_name() -> None:
    times = iter(range(0, 1000, 20))
    sections = [section("First", ("1", "2")), section("Long", expected_s=50), section("Last", ("3", "4"))]
    report = run_sections(sections, limit_s=75, on_report=lambda _: None, clock=lambda: float(next(times)))
    assert "| 1 | 2 |" in report
    assert "**Long**: not measured, the time was over." in report


def test_without_a_gpu_the_command_says_so_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(DOCUMENT)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu", "--document", str(document)])
    assert command.main() == 1
    assert "needs a GPU" in capsys.readouterr().err
    assert document.read_text() == DOCUMENT


def test_the_tables_are_written_with_date_machine_and_versions(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(DOCUMENT)
    command.write(document, "| 1 | 2.5 |")
    written = document.read_text()
    assert f"torch {torch.__version__}" in written
    assert "| 1 | 2.5 |" in written
    assert "old" not in written


def test_throughput_is_measured_with_each_number_of_clients() -> None:
    sent: list[Any] = []
    closed: list[bool] = []
    backend = SimpleNamespace(generate=sent.append, close=lambda: closed.append(True))
    setting = Setting(Path(), 64, 2, roofline_s=0.5)
    rows = list(measure_arms(setting, [Arm("fake", lambda: backend, (1, 2), 3)]))
    assert [row[:2] for row in rows] == [("fake", "1"), ("fake", "2")]
    assert rows[0][-1].endswith("%")
    assert (len(sent), closed) == (2 + 4 + 6, [True])


def test_operations_are_counted_without_weights() -> None:
    pipeline = random_pipeline("sd15", torch.device("meta"))
    assert flops_per_image(pipeline, size=512, steps=20) == pytest.approx(34.6e12, rel=0.01)
