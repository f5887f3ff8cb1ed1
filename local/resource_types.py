"""The resource types of our templates that MiniStack lacks or simplifies, in its registry's form.

A type without an `update` is made anew when its properties change, and MiniStack takes the old one away,
as CloudFormation does with what it replaces.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import boto3
import httpx

from local.aws import ACCOUNT, REGION

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]
"""Physical id and attributes."""

Provisioner = dict[str, Any]
"""`create`, `delete` and perhaps `update`, with MiniStack's arguments."""

Registry = dict[str, Provisioner]
"""By resource type."""

DeleteBucket = Callable[[str], tuple[int, dict[str, str], bytes]]
"""S3's own operation: status, headers, body."""

_ALARM = "AWS::CloudWatch::Alarm"
_BUCKET = "AWS::S3::Bucket"


def register(registry: Registry, control: httpx.Client, delete_bucket: DeleteBucket) -> None:
    """Adds the missing types.

    Args:
        registry: MiniStack's own.
        control: a client of the stand-in that runs the endpoints.
        delete_bucket: MiniStack's own.
    """
    registry.update(SageMaker(control).provisioners())
    registry.update(
        {
            # There is always one instance here.
            "AWS::ApplicationAutoScaling::ScalableTarget": _keeping({}, "scalable-target", "Id"),
            "AWS::ApplicationAutoScaling::ScalingPolicy": _keeping({}, "scaling-policy", "Id"),
            # CodeBuild would build the image; here the endpoints run its sources.
            "Custom::CDKContainerImageBuild": _custom(lambda _properties: None),
            # The function wants the AWS SDK for JavaScript, which Lambda brings along and we need not have.
            "Custom::S3AutoDeleteObjects": _custom(lambda properties: _empty(properties["BucketName"])),
            _ALARM: _alarm(registry[_ALARM]),
            _BUCKET: _bucket(registry[_BUCKET], delete_bucket),
        }
    )


class SageMaker:
    """The provisioners of AWS::SageMaker::*.

    They keep models and configurations, and hand an endpoint with all that belongs to it to the
    stand-in that runs it.
    """

    def __init__(self, control: httpx.Client) -> None:
        self._control = control
        self._models: dict[str, Properties] = {}
        self._configs: dict[str, Properties] = {}

    def provisioners(self) -> Registry:
        """By resource type."""
        return {
            "AWS::SageMaker::Model": _keeping(self._models, "model", "ModelName"),
            "AWS::SageMaker::EndpointConfig": _keeping(
                self._configs, "endpoint-config", "EndpointConfigName"
            ),
            "AWS::SageMaker::Endpoint": {
                "create": self._create_endpoint,
                "update": self._update_endpoint,
                "delete": self._delete_endpoint,
            },
        }

    def _create_endpoint(self, _logical_id: str, properties: Properties, _stack: str) -> Created:
        config = self._configs[properties["EndpointConfigName"]]
        (variant,) = config["ProductionVariants"]
        name = properties["EndpointName"]
        definition = {"Model": self._models[variant["ModelName"]], "Config": config}
        self._control.put(f"/endpoints/{name}", json=definition).raise_for_status()
        return endpoint_arn(name), {"EndpointName": name}

    def _update_endpoint(
        self, physical_id: str, _old: Properties, properties: Properties, stack: str
    ) -> Created:
        """Another name makes another endpoint: MiniStack then deletes the one of the old id."""
        return self._create_endpoint(physical_id, properties, stack)

    def _delete_endpoint(self, physical_id: str, _properties: Properties) -> None:
        name = physical_id.rpartition("/")[2]
        self._control.delete(f"/endpoints/{name}").raise_for_status()


def _keeping(kept: dict[str, Properties], kind: str, attribute: str) -> Provisioner:
    """A type whose properties only have to be there for others."""

    def create(logical_id: str, properties: Properties, _stack: str) -> Created:
        name = _physical_name(logical_id)
        kept[name] = properties
        return _arn(kind, name), {attribute: name}

    def delete(physical_id: str, _properties: Properties) -> None:
        kept.pop(physical_id.rpartition("/")[2], None)

    return {"create": create, "delete": delete}


def _custom(on_delete: Callable[[Properties], None]) -> Provisioner:
    """A custom resource that does something only when it is deleted."""

    def create(logical_id: str, _properties: Properties, _stack: str) -> Created:
        return _physical_name(logical_id), {}

    def update(physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Created:
        return physical_id, {}

    def delete(_physical_id: str, properties: Properties) -> None:
        on_delete(properties)

    return {"create": create, "update": update, "delete": delete}


def _alarm(own: Provisioner) -> Provisioner:
    """Alarms, with those on expressions, which MiniStack refuses, accepted and without effect."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        if "Metrics" in properties:
            return _physical_name(logical_id), {}
        created: Created = own["create"](logical_id, properties, stack)
        return created

    def update(
        physical_id: str, old: Properties, properties: Properties, stack: str, logical_id: str
    ) -> Created:
        if "Metrics" in properties:
            return physical_id, {}
        updated: Created = own["update"](physical_id, old, properties, stack, logical_id)
        return updated

    return own | {"create": create, "update": update}


def _bucket(own: Provisioner, delete_bucket: DeleteBucket) -> Provisioner:
    """Buckets that can be deleted only when they are empty; MiniStack's go with all they hold."""

    def delete(physical_id: str, properties: Properties) -> None:
        status, _, body = delete_bucket(physical_id)
        if status >= HTTPStatus.BAD_REQUEST:
            raise ValueError(body.decode())
        own["delete"](physical_id, properties)

    return own | {"delete": delete}


def _empty(bucket: str) -> None:
    """Deletes every version of every object, in the cloud that this process's environment names: itself."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def _physical_name(logical_id: str) -> str:
    return f"{logical_id[:40]}-{uuid4().hex[:8]}".lower()


def endpoint_arn(name: str) -> str:
    """How policies name an endpoint."""
    return _arn("endpoint", name)


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
