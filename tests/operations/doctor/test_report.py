import pytest
from rich.console import Console

from operations.doctor.check import CheckResult, Status, failed, passed, skipped, warning
from operations.doctor.report import report


def test_each_check_has_a_line_with_its_remedy_and_the_last_line_has_the_counts() -> None:
    results = [
        ("first", passed("fine [really]")),
        ("second", failed("broken", "repair it")),
        ("third", skipped("not checked")),
        ("fourth", warning("unusual", "look at it")),
    ]
    console = Console(width=40, record=True)
    assert report(results, console) is False
    shown = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert shown == [
        "pass first fine [really]",
        "fail second broken. To do: repair it",
        "skipped third not checked",
        "warn fourth unusual. To do: look at it",
        "1 passed, 1 warnings, 1 failed, 1 skipped",
    ]


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.WARN])
def test_skipped_checks_and_warnings_are_not_failures(status: Status) -> None:
    assert report([("first", CheckResult(status, "message"))], Console(quiet=True)) is True
