"""The private hooks into MiniStack that everything local hangs on."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.emulator import local_aws, start_cloud, wait_for_cloud
from local.resource_types import register
from local.web_server import WebServer, listen

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
        "Idle": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Metrics": [{"Id": "idle", "Expression": "1"}],
                "AlarmActions": [{"Ref": "Policy"}],
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
            },
        },
        "Late": {
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
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
        },
        "Emptying": {
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
    },
}


Told = list[tuple[str, str, Any]]
"""The control API's requests: method, endpoint, body."""


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Told, Any, LocalAws]]:
    """An emulated cloud, a function that brings its stack to a template, and what the control API hears."""
    told: Told = []

    async def write_down(request: Request) -> Response:
        body = await request.body()
        told.append((request.method, request.path_params["name"], json.loads(body) if body else None))
        return Response(status_code=201)

    async def accept(request: Request) -> Response:
        told.append((request.method, request.path_params["name"], dict(request.headers)))
        headers = {"x-amzn-sagemaker-outputlocation": "s3://bucket/results/1.out"}
        return JSONResponse({"InferenceId": "mine"}, status_code=202, headers=headers)

    routes = [
        Route("/endpoints/{name}", write_down, methods=["PUT", "DELETE"]),
        Route("/endpoints/{name}/async-invocations", accept, methods=["POST"]),
    ]
    server = WebServer(Starlette(routes=routes), listen(0))
    aws = local_aws(tmp_path, enforce_iam=False)
    cloud = start_cloud(aws, server.url, tmp_path)
    wait_for_cloud(cloud, aws)
    yield told, aws.client("cloudformation"), aws
    cloud.stop()
    server.stop()


def bring(cloudformation: Any, action: str, template: Any = None) -> dict[str, str]:
    """Creates, updates or deletes the stack, and gives its outputs."""
    body = {} if template is None else {"TemplateBody": json.dumps(template)}
    getattr(cloudformation, f"{action}_stack")(StackName="s", **body)
    cloudformation.get_waiter(f"stack_{action}_complete").wait(
        StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    if template is None:
        return {}
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_ministack_has_the_form_that_we_extend() -> None:
    """Without starting it: what a new MiniStack would break first."""
    code = (
        "from ministack import app; "
        "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as r; "
        "from ministack.services.s3 import _delete_bucket as d; "
        "h = r['AWS::CloudWatch::Alarm']; "
        "print(*sorted(k for k in ('create', 'update', 'delete') if callable(h[k])), "
        "h['update_with_logical_id'], "
        "callable(app._handle_post_body_shortcuts), callable(app._enforce_data_plane), callable(d), "
        "*[t for t in r if t.startswith(('AWS::SageMaker', 'AWS::ApplicationAutoScaling', 'Custom::'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "create delete update True True True True"


def test_an_endpoint_is_handed_over_with_its_resolved_definition_and_taken_back(
    told: tuple[Told, Any, LocalAws],
) -> None:
    heard, cloudformation, _ = told
    outputs = bring(cloudformation, "create", TEMPLATE)
    ((method, name, definition),) = heard
    assert (method, name) == ("PUT", outputs["Name"]) == ("PUT", "mine")
    assert outputs["Arn"].endswith(":endpoint/mine")
    assert definition["Model"]["PrimaryContainer"]["Environment"]["TOPIC"] == outputs["Topic"]
    assert len(definition["Config"]["ProductionVariants"]) == 1
    bring(cloudformation, "delete")
    assert heard[1:] == [("DELETE", "mine", None)]


def test_an_invocation_is_passed_on_and_its_answer_back(told: tuple[Told, Any, LocalAws]) -> None:
    heard, _, aws = told
    answer = aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="mine", InputLocation="s3://bucket/key", RequestTTLSeconds=60
    )
    assert (answer["InferenceId"], answer["OutputLocation"]) == ("mine", "s3://bucket/results/1.out")
    ((method, name, headers),) = heard
    assert (method, name) == ("POST", "mine")
    passed = {name: value for name, value in headers.items() if name.startswith("x-amzn-sagemaker")}
    assert passed == {
        "x-amzn-sagemaker-inputlocation": "s3://bucket/key",
        "x-amzn-sagemaker-requestttlseconds": "60",
    }


def test_another_configuration_updates_the_endpoint_and_another_name_replaces_it(
    told: tuple[Told, Any, LocalAws],
) -> None:
    heard, cloudformation, _ = told
    bring(cloudformation, "create", TEMPLATE)
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"]["TOPIC"] = "none"
    changed["Resources"]["Image"]["Properties"]["imageTag"] = "2"
    bring(cloudformation, "update", changed)
    (_, (method, name, definition)) = heard
    assert (method, name) == ("PUT", "mine")
    assert definition["Model"]["PrimaryContainer"]["Environment"]["TOPIC"] == "none"
    changed["Resources"]["Endpoint"]["Properties"]["EndpointName"] = "other"
    bring(cloudformation, "update", changed)
    assert [each[:2] for each in heard[2:]] == [("PUT", "other"), ("DELETE", "mine")]


def test_an_alarm_on_an_expression_is_accepted_beside_the_others(told: tuple[Told, Any, LocalAws]) -> None:
    _, cloudformation, aws = told
    bring(cloudformation, "create", TEMPLATE)
    kept = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [alarm["MetricName"] for alarm in kept] == ["ApproximateBacklogSize"]
    changed = copy.deepcopy(TEMPLATE)
    for name in ("Idle", "Late"):
        changed["Resources"][name]["Properties"]["Threshold"] = 2
    bring(cloudformation, "update", changed)
    assert [alarm["Threshold"] for alarm in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]] == [2]


def test_a_bucket_that_empties_itself_goes_with_its_stack_versions_and_all(
    told: tuple[Told, Any, LocalAws],
) -> None:
    _, cloudformation, aws = told
    bucket = bring(cloudformation, "create", TEMPLATE)["Bucket"]
    s3 = aws.client("s3")
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="key", Body=body)
    s3.delete_object(Bucket=bucket, Key="key")
    bring(cloudformation, "delete")
    assert s3.list_buckets()["Buckets"] == []


def test_a_bucket_that_does_not_empty_itself_keeps_its_stack(told: tuple[Told, Any, LocalAws]) -> None:
    _, cloudformation, aws = told
    template = {part: {"Bucket": TEMPLATE[part]["Bucket"]} for part in ("Resources", "Outputs")}
    bucket = bring(cloudformation, "create", template)["Bucket"]
    aws.client("s3").put_object(Bucket=bucket, Key="key", Body=b"one")
    with pytest.raises(WaiterError, match="DELETE_FAILED"):
        bring(cloudformation, "delete")


def test_registering_leaves_what_ministack_has_alone() -> None:
    registry: dict[str, Any] = {
        "AWS::SNS::Topic": {"create": len},
        "AWS::S3::Bucket": {"create": len, "delete": len},
        "AWS::CloudWatch::Alarm": {
            "create": len,
            "update": len,
            "delete": len,
            "update_with_logical_id": True,
        },
    }
    register(registry, control=None, delete_bucket=None)
    assert registry.pop("AWS::SNS::Topic") == {"create": len}
    assert registry["AWS::CloudWatch::Alarm"]["delete"] is len
    assert registry["AWS::S3::Bucket"]["create"] is len
    assert all({"create", "delete"} <= set(handlers) for handlers in registry.values())
