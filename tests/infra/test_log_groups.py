from typing import Any

import pytest

from tests.infra.conftest import LARGE, SMALL, Templates, only, synthesize, text

RETENTION = "Custom::LogRetention"


@pytest.fixture(scope="module")
def without_data() -> Templates:
    return synthesize(SMALL | {"keep_data": False})


def test_log_groups_have_generated_names_and_outlive_their_stacks(
    small: Templates, large: Templates, without_data: Templates
) -> None:
    for templates, count in ((small, 5), (large, 6), (without_data, 5)):
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
