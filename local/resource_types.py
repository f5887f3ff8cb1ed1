"""Provisioners of the resource types that MiniStack lacks or simplifies, in the format of its registry.

When the properties of a type without an `update` change, MiniStack creates another resource and deletes the
old one, as CloudFormation does on replacement.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import boto3
import httpx

from local.aws import ACCOUNT, REGION

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]
"""Physical id and attributes of a resource."""

Provisioner = dict[str, Any]
"""The functions `create`, `delete` and, optionally, `update`, with MiniStack's arguments."""

Registry = dict[str, Provisioner]
"""Provisioners by resource type."""

DeleteBucket = Callable[[str], tuple[int, dict[str, str], bytes]]
"""The operation DeleteBucket; returns status, headers and body."""

_ALARM = "AWS::CloudWatch::Alarm"
_BUCKET = "AWS::S3::Bucket"
_SECRETS = "AWS::SecretsManager::Secret"


def register(
    registry: Registry,
    control_plane: httpx.Client,
    delete_bucket: DeleteBucket,
    secrets: Mapping[str, Any],
) -> None:
    """Adds the provisioners to MiniStack's registry.

    Args:
        registry: MiniStack's provisioners.
        control_plane: a client of the SageMaker emulator.
        delete_bucket: MiniStack's operation.
        secrets: MiniStack's secrets by name.
    """
    registry.update(SageMakerProvisioners(control_plane).provisioners())
    registry.update(
        {
            # Scaling has no effect: there is always one instance.
            "AWS::ApplicationAutoScaling::ScalableTarget": _stored({}, "scalable-target", "Id"),
            "AWS::ApplicationAutoScaling::ScalingPolicy": _stored({}, "scaling-policy", "Id"),
            # Nothing passes through the network, and no firewall is in front of the API.
            "AWS::EC2::FlowLog": _stored({}, "vpc-flow-log", "Id"),
            "AWS::WAFv2::WebACLAssociation": _stored({}, "web-acl-association", "Id"),
            # No image is built: the endpoints run the container from source.
            "Custom::CDKContainerImageBuild": _custom(lambda _properties: None),
            # No container writes to CloudWatch here.
            "Custom::LogRetention": _custom(lambda _properties: None),
            # The gateway serves the page's files.
            "Custom::CDKBucketDeployment": _custom(lambda _properties: None),
            # In place of the function, which needs the AWS SDK for JavaScript of the Lambda runtime.
            "Custom::S3AutoDeleteObjects": _custom(lambda properties: _empty(properties["BucketName"])),
            _ALARM: _alarm(registry[_ALARM]),
            _BUCKET: _bucket(registry[_BUCKET], delete_bucket),
            _SECRETS: _secret(registry[_SECRETS], secrets),
        }
    )


class SageMakerProvisioners:
    """The provisioners of AWS::SageMaker::*.

    Models and endpoint configurations are stored; an endpoint is created by the SageMaker emulator from the
    resolved properties of both.
    """

    def __init__(self, control_plane: httpx.Client) -> None:
        self._control_plane = control_plane
        self._models: dict[str, Properties] = {}
        self._configs: dict[str, Properties] = {}

    def provisioners(self) -> Registry:
        """The provisioners by resource type."""
        return {
            "AWS::SageMaker::Model": _stored(self._models, "model", "ModelName"),
            "AWS::SageMaker::EndpointConfig": _stored(self._configs, "endpoint-config", "EndpointConfigName"),
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
        self._control_plane.put(f"/endpoints/{name}", json=definition).raise_for_status()
        return endpoint_arn(name), {"EndpointName": name}

    def _update_endpoint(
        self, physical_id: str, _old: Properties, properties: Properties, stack: str
    ) -> Created:
        """Creates or replaces the endpoint. When the name has changed, MiniStack deletes the old one."""
        return self._create_endpoint(physical_id, properties, stack)

    def _delete_endpoint(self, physical_id: str, _properties: Properties) -> None:
        name = physical_id.rpartition("/")[2]
        self._control_plane.delete(f"/endpoints/{name}").raise_for_status()


def _stored(resources: dict[str, Properties], kind: str, attribute: str) -> Provisioner:
    """A type whose properties are stored, for the creation of other resources."""

    def create(logical_id: str, properties: Properties, _stack: str) -> Created:
        name = _physical_name(logical_id)
        resources[name] = properties
        return _arn(kind, name), {attribute: name}

    def delete(physical_id: str, _properties: Properties) -> None:
        resources.pop(physical_id.rpartition("/")[2], None)

    return {"create": create, "delete": delete}


def _custom(on_delete: Callable[[Properties], None]) -> Provisioner:
    """A custom resource that has an effect only on deletion."""

    def create(logical_id: str, _properties: Properties, _stack: str) -> Created:
        return _physical_name(logical_id), {}

    def update(physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Created:
        return physical_id, {}

    def delete(_physical_id: str, properties: Properties) -> None:
        on_delete(properties)

    return {"create": create, "update": update, "delete": delete}


def _alarm(original: Provisioner) -> Provisioner:
    """Alarms; those on metric expressions, which MiniStack refuses, are accepted without effect."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        if "Metrics" in properties:
            return _physical_name(logical_id), {}
        created: Created = original["create"](logical_id, properties, stack)
        return created

    def update(
        physical_id: str, old: Properties, properties: Properties, stack: str, logical_id: str
    ) -> Created:
        if "Metrics" in properties:
            return physical_id, {}
        updated: Created = original["update"](physical_id, old, properties, stack, logical_id)
        return updated

    return original | {"create": create, "update": update}


def _bucket(original: Provisioner, delete_bucket: DeleteBucket) -> Provisioner:
    """Buckets whose deletion fails unless they are empty; MiniStack deletes their objects too."""

    def delete(physical_id: str, properties: Properties) -> None:
        status, _, body = delete_bucket(physical_id)
        if status >= HTTPStatus.BAD_REQUEST:
            raise ValueError(body.decode())
        original["delete"](physical_id, properties)

    return original | {"delete": delete}


def _secret(original: Provisioner, secrets: Mapping[str, Any]) -> Provisioner:
    """Secrets that `Ref` resolves to their ARN; with MiniStack's own provisioner, it is their name."""

    def name(arn: str) -> str:
        return next((name for name, secret in secrets.items() if secret["ARN"] == arn), arn)

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        _, attributes = original["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(
        physical_id: str, old: Properties, properties: Properties, stack: str, logical_id: str
    ) -> Created:
        _, attributes = original["update"](name(physical_id), old, properties, stack, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id: str, properties: Properties) -> None:
        original["delete"](name(physical_id), properties)

    return original | {"create": create, "update": update, "delete": delete}


def _empty(bucket: str) -> None:
    """Deletes every version of every object, through the endpoint URL in this process's environment."""
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def _physical_name(logical_id: str) -> str:
    return f"{logical_id[:40]}-{uuid4().hex[:8]}".lower()


def endpoint_arn(name: str) -> str:
    """The ARN of an endpoint."""
    return _arn("endpoint", name)


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
