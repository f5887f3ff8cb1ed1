"""The few names that more than one stack has to know beforehand."""

import hashlib

from infra.config import ModelConfig


def endpoint_prefix(stage: str, model: str) -> str:
    """What the name of a model's endpoint begins with."""
    return f"sd-{stage}-{model}-"


def endpoint_name(stage: str, model: ModelConfig) -> str:
    """The name of a model's endpoint, at most 63 characters.

    Other instance types make another name: SageMaker does not change those of an endpoint that scales, so
    CloudFormation makes a new endpoint beside the old one, and takes the old one away at the end.
    """
    types = ",".join(model.instance_types)
    return endpoint_prefix(stage, model.name) + hashlib.sha256(types.encode()).hexdigest()[:8]


def endpoint_parameter(stage: str, model: str) -> str:
    """The SSM parameter that says which endpoint serves the model now."""
    return f"/stable-diffusion/{stage}/endpoints/{model}"
