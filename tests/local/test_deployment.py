from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from moto import mock_aws

from local.aws import LocalAws
from local.deployment import Deployer, read_assembly


class MotoAws(LocalAws):
    """AWS as mocked by moto."""

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        create: Any = boto3.client
        return create(service)


def test_stacks_with_a_distribution_are_left_out(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.CfnOutput(cdk.Stack(app, "Api"), "Output", value="1")
    origin = origins.HttpOrigin("example.com")
    cloudfront.Distribution(
        cdk.Stack(app, "Web"),
        "Distribution",
        default_behavior=cloudfront.BehaviorOptions(origin=origin),
    )
    app.synth()
    assert [stack.name for stack in read_assembly(tmp_path)] == ["Api"]


@pytest.mark.parametrize("qualifier", ["hnb659fds", "team1"])
@pytest.mark.parametrize("env", [None, cdk.Environment(account="000000000000", region="us-east-1")])
def test_what_the_templates_need_of_the_bootstrap_stack_is_created(
    tmp_path: Path, qualifier: str, env: cdk.Environment | None
) -> None:
    app = cdk.App(outdir=str(tmp_path), context={"@aws-cdk/core:bootstrapQualifier": qualifier})
    for name in ("A", "B"):
        cdk.CfnOutput(cdk.Stack(app, name, env=env), "Output", value="1")
    app.synth()
    with mock_aws():
        deployer = Deployer(MotoAws(url="http://127.0.0.1:1", certificate=None), tmp_path)
        deployer.bootstrap(read_assembly(tmp_path))
        buckets = boto3.client("s3").list_buckets()["Buckets"]
        parameters = boto3.client("ssm").describe_parameters()["Parameters"]
    assert [each["Name"] for each in buckets] == [f"cdk-{qualifier}-assets-000000000000-us-east-1"]
    assert [each["Name"] for each in parameters] == [f"/cdk-bootstrap/{qualifier}/version"]
