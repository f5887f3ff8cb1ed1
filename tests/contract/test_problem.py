from http import HTTPStatus

import pytest

from contract.problem import MAX_FIELD_ERRORS, ErrorCode, FieldError, Problem, bound_errors, describe

WIDTH = FieldError(pointer="#/width", detail="must be at most 512")


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_has_a_status_and_a_title(code: ErrorCode) -> None:
    problem = Problem.of(code, "detail", errors=(WIDTH,), request_id="r-1")
    assert HTTPStatus(problem.status) >= HTTPStatus.BAD_REQUEST
    assert problem.title
    assert (problem.code, problem.detail) == (code, "detail")
    assert (problem.errors, problem.request_id) == ((WIDTH,), "r-1")


def test_errors_are_described_by_field_and_detail() -> None:
    steps = FieldError(pointer="#/hires/steps", detail="is required")
    assert describe([WIDTH, steps]) == "width: must be at most 512; hires/steps: is required"


@pytest.mark.parametrize(
    ("count", "omitted", "closing"),
    [
        (MAX_FIELD_ERRORS, 0, None),
        (MAX_FIELD_ERRORS + 1, 0, "and 1 more"),
        (MAX_FIELD_ERRORS + 1, 5, "and 6 more"),
        (1, 2, "and 2 more"),
    ],
)
def test_errors_beyond_the_limit_are_counted(count: int, omitted: int, closing: str | None) -> None:
    shown = min(count, MAX_FIELD_ERRORS)
    bounded = bound_errors((WIDTH,) * count, omitted=omitted)
    assert bounded[:shown] == (WIDTH,) * shown
    assert [each.detail for each in bounded[shown:]] == ([] if closing is None else [closing])
