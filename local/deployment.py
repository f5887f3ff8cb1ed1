"""Deployment of a synthesized CDK application into the emulated account, in place of `cdk deploy`."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from botocore.exceptions import WaiterError

from local.aws import ACCOUNT, REGION, LocalAws

_PLACEHOLDERS = {
    "${AWS::AccountId}": ACCOUNT,
    "${AWS::Region}": REGION,
    "${AWS::Partition}": "aws",
}
_STACK_ARTIFACT = "aws:cloudformation:stack"
_BOOTSTRAP_VERSION = "30"

_DISTRIBUTION = "AWS::CloudFront::Distribution"
"""MiniStack refuses an origin at execute-api, and cannot run the function that deploys the files. The local
gateway serves the page."""


class DeploymentError(RuntimeError):
    """A stack could not be created."""


@dataclass(frozen=True)
class Stack:
    """A synthesized stack.

    Attributes:
        name: the stack's name.
        template_uri: the `s3://` URI of the template, which is among the assets.
        assets: the stack's asset manifest.
        bootstrap_parameter: the name of the SSM parameter with the version of the bootstrap stack.
    """

    name: str
    template_uri: str
    assets: dict[str, Any]
    bootstrap_parameter: str

    @property
    def asset_buckets(self) -> set[str]:
        """The buckets of the bootstrap stack that the file assets are uploaded to."""
        return {
            _resolve(destination["bucketName"])
            for asset in self.assets["files"].values()
            for destination in asset["destinations"].values()
        }


def read_assembly(directory: Path) -> list[Stack]:
    """The stacks of a cloud assembly, in order of their dependencies, without those of CloudFront."""
    artifacts = json.loads((directory / "manifest.json").read_text())["artifacts"]
    order = TopologicalSorter({name: each.get("dependencies", []) for name, each in artifacts.items()})
    return [
        Stack(
            name,
            _resolve(artifacts[name]["properties"]["stackTemplateAssetObjectUrl"]),
            json.loads((directory / f"{name}.assets.json").read_text()),
            artifacts[name]["properties"]["bootstrapStackVersionSsmParameter"],
        )
        for name in order.static_order()
        if artifacts[name]["type"] == _STACK_ARTIFACT
        and not _has_distribution(directory / artifacts[name]["properties"]["templateFile"])
    ]


def _has_distribution(template: Path) -> bool:
    resources = json.loads(template.read_text()).get("Resources", {})
    return any(resource["Type"] == _DISTRIBUTION for resource in resources.values())


class Deployer:
    """Uploads file assets and creates stacks."""

    def __init__(self, aws: LocalAws, assembly: Path) -> None:
        self._assembly = assembly
        self._url = aws.url
        self._s3 = aws.client("s3")
        self._cloudformation = aws.client("cloudformation")
        self._ssm = aws.client("ssm")

    def bootstrap(self, stacks: Sequence[Stack]) -> None:
        """Creates what the stacks need of `cdk bootstrap`: the version and the bucket of assets."""
        for parameter in {stack.bootstrap_parameter for stack in stacks}:
            self._ssm.put_parameter(Name=parameter, Value=_BOOTSTRAP_VERSION, Type="String")
        for bucket in {bucket for stack in stacks for bucket in stack.asset_buckets}:
            self._s3.create_bucket(Bucket=bucket)

    def deploy(self, stack: Stack) -> dict[str, str]:
        """Creates the stack and returns its outputs.

        Raises:
            DeploymentError: a resource could not be created; the message contains its name and the reason.
        """
        self._upload_assets(stack.assets)
        self._cloudformation.create_stack(
            StackName=stack.name,
            TemplateURL=f"{self._url}/{stack.template_uri.removeprefix('s3://')}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        try:
            self._cloudformation.get_waiter("stack_create_complete").wait(
                StackName=stack.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
            )
        except WaiterError as error:
            raise DeploymentError(f"{stack.name}: {self._failure(stack.name)}") from error
        (described,) = self._cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}

    def _failure(self, stack_name: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        return "; ".join(
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        )

    def _upload_assets(self, assets: dict[str, Any]) -> None:
        """Uploads file assets. Images are not built: the endpoints run the container from source."""
        for asset in assets["files"].values():
            source = self._assembly / asset["source"]["path"]
            body = _zip(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
            for destination in asset["destinations"].values():
                self._s3.put_object(
                    Bucket=_resolve(destination["bucketName"]),
                    Key=_resolve(destination["objectKey"]),
                    Body=body,
                )


def _resolve(text: str) -> str:
    for placeholder, value in _PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text


def _zip(directory: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(directory))
    return buffer.getvalue()
