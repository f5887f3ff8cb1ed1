"""Small stages."""

from typing import Any

from infra.config import DeploymentConfig

HUB = {
    "type": "huggingface",
    "id": "ada/model",
    "revision": "0" * 40,
    "token_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf",
}


def stage(**settings: Any) -> DeploymentConfig:
    """A stage with one model, unless the settings contain models."""
    return DeploymentConfig.model_validate({"stage": "dev", "models": [model()], **settings})


def model(name: str = "demo", **settings: Any) -> dict[str, Any]:
    return {"name": name, "instance_types": ["ml.g5.xlarge"], **settings}
