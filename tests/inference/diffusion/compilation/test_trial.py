"""The trial of compiled code."""

import pytest
import torch

from inference.diffusion.compilation.trial import Trial, Verdict, measure
from tests.inference.diffusion.compilation.calls import FakeClock

ONES = torch.ones(4)
ROUNDS = 5


def run(trial: Trial, compiled: torch.Tensor = ONES, eager: torch.Tensor = ONES) -> torch.Tensor:
    return trial.run(lambda: eager, lambda: compiled)


@pytest.mark.parametrize(
    ("compiled_s", "verdict"), [(0.9, Verdict.COMPILED), (1.0, Verdict.COMPILED), (1.1, Verdict.EAGER)]
)
def test_code_that_is_not_slower_is_used(compiled_s: float, verdict: Verdict) -> None:
    trial = Trial("shape", FakeClock(compiled_s).measure)
    for _ in range(2 * ROUNDS):
        run(trial)
        assert trial.verdict is Verdict.OPEN
    run(trial)
    assert trial.verdict is verdict


@pytest.mark.parametrize("wrong", [0.9, -1.0, float("nan"), float("inf")])
def test_wrong_results_reject_the_code_at_once_and_are_not_returned(wrong: float) -> None:
    trial = Trial("shape", FakeClock().measure)
    assert torch.equal(run(trial, wrong * ONES), ONES)
    assert trial.verdict is Verdict.EAGER


@pytest.mark.parametrize("invalid", [0.0, float("nan"), float("inf")])
def test_eager_results_that_compare_with_nothing_are_not_compared(invalid: float) -> None:
    trial = Trial("shape", FakeClock().measure)
    for _ in range(3):
        run(trial, eager=invalid * ONES)
        assert trial.verdict is Verdict.OPEN
    run(trial, -ONES)
    assert trial.verdict is Verdict.EAGER


def test_rounding_is_no_difference() -> None:
    trial = Trial("shape", FakeClock().measure)
    run(trial, 1.01 * ONES)
    assert trial.verdict is Verdict.OPEN


def test_a_call_is_measured_to_its_end() -> None:
    result, seconds = measure(lambda: ONES)
    assert result is ONES
    assert seconds > 0
