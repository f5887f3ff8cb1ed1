import pytest

from operations.doctor.commands import CommandError, output_of
from tests.operations.doctor.conftest import Programs


def test_the_output_is_returned_without_surrounding_whitespace(programs: Programs) -> None:
    programs(tool='echo "  $1 "')
    assert output_of("tool", "value") == "value"


def test_the_last_line_of_a_failed_program_is_the_reason(programs: Programs) -> None:
    programs(tool="echo first >&2; echo second >&2; exit 3")
    with pytest.raises(CommandError, match=r"^tool failed: second$"):
        output_of("tool")


def test_a_program_that_hangs_is_stopped(programs: Programs) -> None:
    programs(tool="while :; do :; done")
    with pytest.raises(CommandError, match=r"tool did not finish within 0\.1 s"):
        output_of("tool", timeout_s=0.1)
