"""Settings of models and the permissions of an endpoint's role."""

from typing import Any

from aws_cdk.assertions import Template

from tests.infra.conftest import only, text

HUB_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"


def model(name: str = "demo", **settings: Any) -> dict[str, Any]:
    return {"name": name, "instance_types": ["ml.g5.xlarge"], **settings}


def hub_source() -> dict[str, Any]:
    return {
        "type": "huggingface",
        "id": "owner/model",
        "revision": "0" * 40,
        "token_secret_arn": HUB_ARN,
    }


def allowed(template: Template, action: str) -> str:
    """The resources on which the endpoint's role allows the action, as JSON."""
    statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    return text([each["Resource"] for each in statements if action in [each["Action"], *each["Action"]]])
