from typing import Any

import pytest

from operations.doctor.check import Status, run_check
from operations.doctor.stacks import StageStacks
from tests.conftest import ROOT
from tests.operations.doctor.conftest import StubbedAws


def respond(aws: StubbedAws, *stacks: tuple[str, str, bool]) -> None:
    described: list[dict[str, Any]] = [
        {
            "StackName": name,
            "StackStatus": status,
            "CreationTime": "2026-01-01T00:00:00Z",
            "EnableTerminationProtection": protected,
        }
        for name, status, protected in stacks
    ]
    aws.stub("cloudformation").add_response("describe_stacks", {"Stacks": described}, {})


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE"])
def test_a_stack_that_can_be_deployed_passes(aws: StubbedAws, status: str) -> None:
    respond(aws, ("StableDiffusion-dev-Api", status, False))
    result = StageStacks(aws, "dev").run()
    assert (result.status, result.message) == (Status.PASS, f"Api {status}")


@pytest.mark.parametrize(
    ("status", "protected"),
    [
        ("UPDATE_ROLLBACK_FAILED", False),
        ("UPDATE_FAILED", False),
        ("DELETE_FAILED", False),
        ("ROLLBACK_COMPLETE", True),
        ("ROLLBACK_FAILED", True),
    ],
)
def test_a_stack_that_needs_a_repair_fails(aws: StubbedAws, status: str, protected: bool) -> None:
    respond(aws, ("StableDiffusion-dev-Storage", status, protected))
    result = StageStacks(aws, "dev").run()
    assert result.status is Status.FAIL
    assert f"StableDiffusion-dev-Storage is {status}" in result.message
    assert "docs/recovery.md" in result.remedy
    assert status in (ROOT / "docs" / "recovery.md").read_text()


def test_stacks_of_others_are_ignored(aws: StubbedAws) -> None:
    respond(aws, ("StableDiffusion-prod-Api", "DELETE_FAILED", False), ("Other", "DELETE_FAILED", False))
    result = StageStacks(aws, "dev").run()
    assert (result.status, result.message) == (Status.PASS, "none is deployed yet")


def test_without_permission_the_stacks_are_skipped(aws: StubbedAws) -> None:
    aws.deny("cloudformation", "describe_stacks")
    assert run_check(StageStacks(aws, "dev")).status is Status.SKIPPED
