"""A short soak test: every job ends in a true state although messages, updates and reads of S3 fail."""

from pathlib import Path

import pytest

from bench.soak.messages import FaultyMessages
from bench.soak.ministack import SEED_VARIABLE
from bench.soak.run import run, table
from local.emulator import Parts
from local.stack import LocalStack

JOBS = 40


def test_every_job_ends_in_a_true_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "7")
    messages = FaultyMessages("7")
    parts = Parts(ministack="bench.soak.ministack", deliver=messages.deliver)
    stack = LocalStack.start(port=0, directory=tmp_path, report=print, parts=parts)
    try:
        report = run(stack, jobs=JOBS, clients=8, kills=0, with_fatal_request=False)
    finally:
        stack.stop()
    assert report.statuses == {"succeeded": JOBS}
    assert messages.faults["dropped"] > 0
    assert "| dead letters |" in table(report, messages.faults)
