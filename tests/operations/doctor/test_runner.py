from collections.abc import Iterable
from pathlib import Path

import pytest

from operations.doctor.check import Status
from operations.doctor.runner import NamedResult, run_checks
from operations.versions import CDK_CLI
from tests.operations.doctor.cdk_json import write_stage
from tests.operations.doctor.conftest import ACCOUNT, Programs, StubbedAws


def statuses(results: Iterable[NamedResult]) -> dict[str, Status]:
    return {name: result.status for name, result in results}


@pytest.fixture
def installed(programs: Programs) -> None:
    programs(node="echo v22.1.0", npx=f"echo {CDK_CLI}")


@pytest.mark.usefixtures("installed")
def test_without_an_account_the_other_checks_run(tmp_path: Path, aws: StubbedAws) -> None:
    aws.stub("sts").add_client_error("get_caller_identity", "InvalidClientTokenId")
    assert statuses(run_checks("dev", aws, write_stage(tmp_path))) == {
        "Python": Status.PASS,
        "Node": Status.PASS,
        "CDK CLI": Status.PASS,
        "configuration": Status.PASS,
        "alarms": Status.WARN,
        "image": Status.PASS,
        "credentials": Status.FAIL,
        "quota ml.g5.xlarge": Status.SKIPPED,
    }


def identify(aws: StubbedAws) -> None:
    identity = {"Account": ACCOUNT.id, "Arn": ACCOUNT.caller_arn, "UserId": "AIDAEXAMPLE"}
    aws.stub("sts").add_response("get_caller_identity", identity)
    aws.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": "30"}})


@pytest.mark.usefixtures("installed")
def test_with_an_account_every_check_runs_although_aws_denies_requests(
    tmp_path: Path, aws: StubbedAws
) -> None:
    identify(aws)
    aws.deny("iam", "simulate_principal_policy")
    aws.deny("service-quotas", "list_service_quotas")
    aws.deny("sagemaker", "describe_endpoint")
    aws.deny("apigateway", "get_account")
    for _ in range(4):
        aws.deny("cloudformation", "describe_stacks")
    found = statuses(run_checks("dev", aws, write_stage(tmp_path)))
    assert list(found.values()).count(Status.PASS) == 7
    assert [name for name, status in found.items() if status is Status.SKIPPED] == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "stacks",
        "names",
        "API Gateway logs",
        "model demo: files",
        "model demo: loading",
        "adapters",
    ]


@pytest.mark.usefixtures("installed")
def test_with_an_unknown_stage_the_checks_of_the_account_run(tmp_path: Path, aws: StubbedAws) -> None:
    identify(aws)
    results = dict(run_checks("nope", aws, write_stage(tmp_path)))
    assert results["configuration"].status is Status.FAIL
    assert "its stages are: dev" in results["configuration"].message
    assert list(results)[-2:] == ["credentials", "CDK bootstrap"]


def test_without_node_the_configuration_is_skipped(
    tmp_path: Path, aws: StubbedAws, programs: Programs
) -> None:
    programs(npx="exit 1")
    identify(aws)
    found = statuses(run_checks("dev", aws, write_stage(tmp_path)))
    assert (found["Node"], found["configuration"]) == (Status.FAIL, Status.SKIPPED)
    assert "image" not in found


@pytest.mark.usefixtures("installed")
def test_the_account_and_region_of_the_stage_are_checked(tmp_path: Path, aws: StubbedAws) -> None:
    identity = {"Account": ACCOUNT.id, "Arn": ACCOUNT.caller_arn, "UserId": "AIDAEXAMPLE"}
    aws.stub("sts").add_response("get_caller_identity", identity)
    aws.region = None
    environment = {"account": "210987654321", "region": "eu-west-1"}
    results = dict(run_checks("dev", aws, write_stage(tmp_path, environment=environment)))
    assert results["credentials"].status is Status.FAIL
    assert "environment.account of the stage is 210987654321" in results["credentials"].message
