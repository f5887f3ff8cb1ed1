"""Access to a private API through VPC endpoints."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

_EVERYTHING = "execute-api:/*"


def private_endpoint(
    scope: Construct, ids: tuple[str, ...], *, signed: bool, public: Iterable[str]
) -> dict[str, Any]:
    """The properties of a REST API that only the VPC endpoints can reach.

    Args:
        scope: the construct of the API.
        ids: the VPC endpoints.
        signed: whether IAM policies decide on requests. A permission in the API's own policy would replace
            theirs; the API's policy then has permissions for public methods only.
        public: the methods that need no authentication, as METHOD/PATH.
    """
    endpoints = [
        ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
            scope, f"VpcEndpoint{number}", vpc_endpoint_id=each, port=443
        )
        for number, each in enumerate(ids)
    ]
    allowed = [f"execute-api:/*/{method}" for method in public] if signed else [_EVERYTHING]
    return {
        "endpoint_configuration": apigateway.EndpointConfiguration(
            types=[apigateway.EndpointType.PRIVATE], vpc_endpoints=endpoints
        ),
        "policy": iam.PolicyDocument(
            statements=[
                _statement(iam.Effect.ALLOW, allowed),
                _statement(
                    iam.Effect.DENY, [_EVERYTHING], {"StringNotEquals": {"aws:SourceVpce": list(ids)}}
                ),
            ]
        ),
    }


def _statement(
    effect: iam.Effect, resources: list[str], conditions: dict[str, Any] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=effect,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=resources,
        conditions=conditions,
    )
