"""The provisioners, called by MiniStack's CloudFormation."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from local.resource_types import register
from tests.local.conftest import MiniStack

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"PrimaryContainer": {"Environment": {"TOPIC": {"Ref": "Topic"}}}},
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [{"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}]},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "mine",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {"ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/primary"}},
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {"ScalingTargetId": {"Ref": "Target"}},
        },
        "ExpressionAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Metrics": [{"Id": "idle", "Expression": "1"}],
                "AlarmActions": [{"Ref": "Policy"}],
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
            },
        },
        "MetricAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "ApproximateBacklogSize",
                "Namespace": "AWS/SageMaker",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
            },
        },
        "Image": {
            "Type": "Custom::CDKContainerImageBuild",
            "Properties": {
                "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none",
                "imageTag": "1",
            },
        },
        "Files": {
            "Type": "Custom::CDKBucketDeployment",
            "Properties": {
                "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none",
                "DestinationBucketName": {"Ref": "Bucket"},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
        },
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 40}},
        },
        "AutoDelete": {
            "Type": "Custom::S3AutoDeleteObjects",
            "Properties": {
                "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none",
                "BucketName": {"Ref": "Bucket"},
            },
        },
    },
    "Outputs": {
        "Name": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        "Arn": {"Value": {"Ref": "Endpoint"}},
        "Topic": {"Value": {"Ref": "Topic"}},
        "Bucket": {"Value": {"Ref": "Bucket"}},
        "Secret": {"Value": {"Ref": "Secret"}},
    },
}


def deploy(ministack: MiniStack, action: str, template: Any = None) -> dict[str, str]:
    """Creates, updates or deletes the stack; returns its outputs."""
    cloudformation = ministack.aws.client("cloudformation")
    body = {} if template is None else {"TemplateBody": json.dumps(template)}
    getattr(cloudformation, f"{action}_stack")(StackName="s", **body)
    cloudformation.get_waiter(f"stack_{action}_complete").wait(
        StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )
    if template is None:
        return {}
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_an_endpoint_is_created_from_its_resolved_definition_and_deleted(ministack: MiniStack) -> None:
    outputs = deploy(ministack, "create", TEMPLATE)
    ((method, name, definition),) = ministack.requests
    assert (method, name) == ("PUT", outputs["Name"]) == ("PUT", "mine")
    assert outputs["Arn"].endswith(":endpoint/mine")
    assert definition["Model"]["PrimaryContainer"]["Environment"]["TOPIC"] == outputs["Topic"]
    assert len(definition["Config"]["ProductionVariants"]) == 1
    deploy(ministack, "delete")
    assert ministack.requests[1:] == [("DELETE", "mine", None)]


def test_a_new_configuration_updates_the_endpoint_and_a_new_name_replaces_it(ministack: MiniStack) -> None:
    deploy(ministack, "create", TEMPLATE)
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"]["TOPIC"] = "none"
    changed["Resources"]["Image"]["Properties"]["imageTag"] = "2"
    deploy(ministack, "update", changed)
    (_, (method, name, definition)) = ministack.requests
    assert (method, name) == ("PUT", "mine")
    assert definition["Model"]["PrimaryContainer"]["Environment"]["TOPIC"] == "none"
    changed["Resources"]["Endpoint"]["Properties"]["EndpointName"] = "other"
    deploy(ministack, "update", changed)
    assert [each[:2] for each in ministack.requests[2:]] == [("PUT", "other"), ("DELETE", "mine")]


def test_an_alarm_on_a_metric_expression_is_accepted_without_effect(ministack: MiniStack) -> None:
    cloudwatch = ministack.aws.client("cloudwatch")
    deploy(ministack, "create", TEMPLATE)
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert [alarm["MetricName"] for alarm in alarms] == ["ApproximateBacklogSize"]
    changed = copy.deepcopy(TEMPLATE)
    for name in ("ExpressionAlarm", "MetricAlarm"):
        changed["Resources"][name]["Properties"]["Threshold"] = 2
    deploy(ministack, "update", changed)
    assert [alarm["Threshold"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]] == [2]


def test_ref_resolves_a_secret_to_its_arn(ministack: MiniStack) -> None:
    arn = deploy(ministack, "create", TEMPLATE)["Secret"]
    assert arn.startswith("arn:aws:secretsmanager:")
    secrets = ministack.aws.client("secretsmanager")
    value = secrets.get_secret_value(SecretId=arn)["SecretString"]
    assert len(value) == 40
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Secret"]["Properties"]["Description"] = "keys"
    assert deploy(ministack, "update", changed)["Secret"] == arn
    assert secrets.describe_secret(SecretId=arn)["Description"] == "keys"
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == value
    deploy(ministack, "delete")
    assert secrets.list_secrets()["SecretList"] == []


def test_a_bucket_with_auto_delete_is_deleted_with_all_versions_of_its_objects(ministack: MiniStack) -> None:
    bucket = deploy(ministack, "create", TEMPLATE)["Bucket"]
    s3 = ministack.aws.client("s3")
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="key", Body=body)
    s3.delete_object(Bucket=bucket, Key="key")
    deploy(ministack, "delete")
    assert s3.list_buckets()["Buckets"] == []


def test_a_bucket_without_auto_delete_fails_to_be_deleted_while_it_has_objects(ministack: MiniStack) -> None:
    template = {part: {"Bucket": TEMPLATE[part]["Bucket"]} for part in ("Resources", "Outputs")}
    bucket = deploy(ministack, "create", template)["Bucket"]
    ministack.aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"one")
    with pytest.raises(WaiterError, match="DELETE_FAILED"):
        deploy(ministack, "delete")


def test_register_keeps_the_other_types_and_functions_of_ministack() -> None:
    registry: dict[str, Any] = {
        "AWS::SNS::Topic": {"create": len},
        "AWS::S3::Bucket": {"create": len, "delete": len},
        "AWS::SecretsManager::Secret": {"create": len, "update": len, "delete": len},
        "AWS::CloudWatch::Alarm": {
            "create": len,
            "update": len,
            "delete": len,
            "update_with_logical_id": True,
        },
    }
    register(registry, control_plane=None, delete_bucket=None, secrets={})
    assert registry.pop("AWS::SNS::Topic") == {"create": len}
    assert registry["AWS::CloudWatch::Alarm"]["delete"] is len
    assert registry["AWS::S3::Bucket"]["create"] is len
    assert all({"create", "delete"} <= set(handlers) for handlers in registry.values())
