"""The private hook into MiniStack that everything local hangs on."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.aws import LocalAws
from local.cloud import register
from local.processes import LOOPBACK, free_port
from local.stack import start_cloud, wait_for_cloud
from local.web_server import WebServer, listen

TEMPLATE = {
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
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {"ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/primary"}},
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {"ScalingTargetId": {"Ref": "Target"}},
        },
    },
    "Outputs": {
        "Name": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        "Arn": {"Value": {"Ref": "Endpoint"}},
        "Topic": {"Value": {"Ref": "Topic"}},
    },
}


@pytest.fixture
def control() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """A control API that writes down what it is told."""
    told: list[tuple[str, str, Any]] = []

    async def write_down(request: Request) -> Response:
        body = await request.body()
        told.append((request.method, request.path_params["name"], json.loads(body) if body else None))
        return Response(status_code=201)

    server = WebServer(
        Starlette(routes=[Route("/endpoints/{name}", write_down, methods=["PUT", "DELETE"])]), listen(0)
    )
    yield server.url, told
    server.stop()


def test_the_registry_has_the_form_that_we_extend() -> None:
    """Without starting it: what a new MiniStack would break first."""
    import subprocess

    code = (
        "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as r; "
        "h = r['AWS::SNS::Topic']; print(sorted(k for k in ('create', 'delete') if callable(h[k])), "
        "*[t for t in r if t.startswith(('AWS::SageMaker', 'AWS::ApplicationAutoScaling'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['create', 'delete']"


def test_an_endpoint_is_handed_over_with_its_resolved_definition_and_taken_back(
    control: tuple[str, list[tuple[str, str, Any]]], tmp_path: Path
) -> None:
    url, told = control
    aws = LocalAws(url=f"http://{LOOPBACK}:{free_port()}", sagemaker_runtime_url=url)
    cloud = start_cloud(aws, tmp_path)
    try:
        wait_for_cloud(cloud, aws)
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(TEMPLATE))
        quickly = {"Delay": 0.1, "MaxAttempts": 100}
        cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig=quickly)
        (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

        ((method, name, definition),) = told
        assert (method, name) == ("PUT", outputs["Name"])
        assert outputs["Arn"].endswith(f":endpoint/{name}")
        assert definition["Model"]["PrimaryContainer"]["Environment"]["TOPIC"] == outputs["Topic"]
        assert len(definition["Config"]["ProductionVariants"]) == 1

        cloudformation.delete_stack(StackName="s")
        cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig=quickly)
        assert told[1:] == [("DELETE", name, None)]
    finally:
        cloud.stop()


def test_registering_leaves_what_ministack_has_alone() -> None:
    registry: dict[str, Any] = {"AWS::SNS::Topic": {"create": len}}
    register(registry, control=None)
    assert registry.pop("AWS::SNS::Topic") == {"create": len}
    assert all(set(handlers) == {"create", "delete"} for handlers in registry.values())
