"""The emulated cloud: MiniStack, taught the resource types that it lacks.

python -m local.cloud CONTROL_URL
"""

import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from local.aws import ACCOUNT, REGION

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]
"""Physical id and attributes."""

Handlers = dict[str, dict[str, Callable[..., Any]]]


class SageMaker:
    """The provisioners of AWS::SageMaker::*.

    They keep models and configurations, and hand an endpoint with all that belongs to it to the
    stand-in that runs it.
    """

    def __init__(self, control: httpx.Client) -> None:
        self._control = control
        self._models: dict[str, Properties] = {}
        self._configs: dict[str, Properties] = {}

    def handlers(self) -> Handlers:
        """By resource type, in the form that MiniStack's registry has."""
        return {
            "AWS::SageMaker::Model": _keeping(self._models, "model", "ModelName"),
            "AWS::SageMaker::EndpointConfig": _keeping(
                self._configs, "endpoint-config", "EndpointConfigName"
            ),
            "AWS::SageMaker::Endpoint": {"create": self._create_endpoint, "delete": self._delete_endpoint},
        }

    def _create_endpoint(self, logical_id: str, properties: Properties, _stack: str) -> Created:
        config = self._configs[properties["EndpointConfigName"]]
        (variant,) = config["ProductionVariants"]
        name = _physical_name(logical_id)
        definition = {"Model": self._models[variant["ModelName"]], "Config": config}
        self._control.put(f"/endpoints/{name}", json=definition).raise_for_status()
        return _arn("endpoint", name), {"EndpointName": name}

    def _delete_endpoint(self, physical_id: str, _properties: Properties) -> None:
        name = physical_id.rpartition("/")[2]
        self._control.delete(f"/endpoints/{name}").raise_for_status()


def _keeping(kept: dict[str, Properties], kind: str, attribute: str) -> dict[str, Callable[..., Any]]:
    """Provisioners of a type whose properties only have to be there for others."""

    def create(logical_id: str, properties: Properties, _stack: str) -> Created:
        name = _physical_name(logical_id)
        kept[name] = properties
        return _arn(kind, name), {attribute: name}

    def delete(physical_id: str, _properties: Properties) -> None:
        kept.pop(physical_id.rpartition("/")[2], None)

    return {"create": create, "delete": delete}


def _scaling_handlers() -> Handlers:
    """Application Auto Scaling: accepted and without effect, for there is always one instance here."""
    return {
        f"AWS::ApplicationAutoScaling::{kind}": _keeping({}, kind, "Id")
        for kind in ("ScalableTarget", "ScalingPolicy")
    }


def _physical_name(logical_id: str) -> str:
    return f"{logical_id[:40]}-{uuid4().hex[:8]}".lower()


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def register(registry: Handlers, control: httpx.Client) -> None:
    """Adds the missing resource types to MiniStack's registry."""
    registry.update(SageMaker(control).handlers())
    registry.update(_scaling_handlers())


def main(control_url: str) -> None:
    """Serves until it is told to stop."""
    from ministack.app import main as serve
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    with httpx.Client(base_url=control_url) as control:
        register(_RESOURCE_HANDLERS, control)
        sys.argv = ["ministack"]
        serve()


if __name__ == "__main__":
    main(sys.argv[1])
