import json
import os
import subprocess
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_logs as logs

from infra.log_groups import NamedLogGroup
from tests.infra.conftest import LARGE, SMALL, Templates, only, synthesize, text

RETENTION = "Custom::LogRetention"


@pytest.fixture(scope="module")
def without_data() -> Templates:
    return synthesize(SMALL | {"keep_data": False})


def test_log_groups_have_generated_names_and_outlive_their_stacks(
    small: Templates, large: Templates, without_data: Templates
) -> None:
    for templates, count in ((small, 7), (large, 6), (without_data, 7)):
        groups = [
            group
            for template in templates.all()
            for group in template.find_resources("AWS::Logs::LogGroup").values()
        ]
        assert len(groups) == count
        for group in groups:
            assert "LogGroupName" not in group["Properties"]
            assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_log_group_of_an_endpoint_may_exist_already_and_is_never_deleted(
    small: Templates, large: Templates, without_data: Templates
) -> None:
    for templates in (small, large, without_data):
        for template in templates.endpoints.values():
            name = only(template, "AWS::SageMaker::Endpoint")["EndpointName"]
            retention = only(template, RETENTION)
            assert retention["LogGroupName"] == f"/aws/sagemaker/Endpoints/{name}"
            assert retention["RemovalPolicy"] == "retain"


def test_an_endpoint_is_created_after_its_log_group(small: Templates) -> None:
    template = small.endpoints["demo"]
    ((_, endpoint),) = template.find_resources("AWS::SageMaker::Endpoint").items()
    assert set(template.find_resources(RETENTION)) <= set(endpoint["DependsOn"])


def test_all_log_groups_have_the_configured_retention(small: Templates, large: Templates) -> None:
    assert LARGE["log_retention_days"] == 7
    for templates, days in ((small, 30), (large, 7)):
        for template in templates.all():
            for kind in ("AWS::Logs::LogGroup", RETENTION):
                for group in template.find_resources(kind).values():
                    assert group["Properties"]["RetentionInDays"] == days


def inline_statements(templates: Templates, model: str) -> list[Any]:
    """The statements of the role of the function that sets the retention."""
    template = templates.endpoints[model]
    ((_, function),) = template.find_resources("AWS::Lambda::Function").items()
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    properties = template.find_resources("AWS::IAM::Role")[role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    (policy,) = properties["Policies"]
    statements: list[Any] = policy["PolicyDocument"]["Statement"]
    return statements


def test_the_function_that_sets_the_retention_may_change_only_the_endpoints_log_group_and_its_own(
    small: Templates,
) -> None:
    name = only(small.endpoints["demo"], "AWS::SageMaker::Endpoint")["EndpointName"]
    retention, own = inline_statements(small, "demo")
    assert retention["Action"] == ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    suffixes = [arn["Fn::Join"][1][-1] for arn in retention["Resource"]]
    own_logs = ":log-group:/aws/lambda/StableDiffusion-*"
    assert set(suffixes) == {f":log-group:/aws/sagemaker/Endpoints/{name}:*", own_logs}
    assert own["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert own["Resource"]["Fn::Join"][1][-1] == own_logs
    policies = small.endpoints["demo"].find_resources("AWS::IAM::Policy").values()
    assert "PutRetentionPolicy" not in text(list(policies))


NAME = "/aws/sagemaker/Endpoints/sd-test-demo-0"


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the CDK's function, as it would be uploaded."""
    directory = tmp_path_factory.mktemp("cdk.out")
    app = cdk.App(outdir=str(directory))
    NamedLogGroup(cdk.Stack(app, "Stack"), "Logs", name=NAME, retention=logs.RetentionDays.ONE_WEEK)
    app.synth()
    (code,) = directory.glob("asset.*/index.js")
    return code


def run(function: Path, groups: dict[str, int | None], *requests: str) -> tuple[list[str], dict[str, Any]]:
    """The statuses that the function answers with, and the log groups afterwards."""
    properties = {"LogGroupName": NAME, "RetentionInDays": "7", "RemovalPolicy": "retain"}
    events = [
        json.dumps(
            {
                "RequestType": request,
                "ResourceProperties": properties,
                "ResponseURL": "https://cloudformation.invalid/",
            }
        )
        for request in requests
    ]
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("log_retention.js")), str(function), *events],  # noqa: S607
        env=os.environ | {"LOG_GROUPS": json.dumps(groups)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    printed = json.loads(done.stdout)
    return printed["statuses"], printed["groups"]


@pytest.mark.parametrize("existing", [{}, {NAME: None}, {NAME: 30}], ids=["missing", "unlimited", "other"])
def test_the_cdks_function_creates_a_log_group_or_takes_one_that_exists(
    function: Path, existing: dict[str, int | None]
) -> None:
    statuses, groups = run(function, existing, "Create")
    assert statuses == ["SUCCESS"]
    assert groups == {NAME: 7, "/aws/lambda/retention": 1}


def test_the_log_group_survives_a_rollback_and_the_next_creation(function: Path) -> None:
    statuses, groups = run(function, {}, "Create", "Delete", "Create", "Update", "Delete")
    assert statuses == ["SUCCESS"] * 5
    assert groups[NAME] == 7
