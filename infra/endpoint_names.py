"""Names of endpoints, of their variant and of their SSM parameters."""

import hashlib

from infra.config import ModelConfig

VARIANT_NAME = "primary"


def endpoint_prefix(stage: str, model: str) -> str:
    """The beginning of the name of a model's endpoint."""
    return f"sd-{stage}-{model}-"


def endpoint_name(stage: str, model: ModelConfig) -> str:
    """The name of a model's endpoint, at most 63 characters.

    The name contains a hash of the instance types. SageMaker does not allow changing the instance types of
    an endpoint with autoscaling; with another name, CloudFormation creates a new endpoint and then deletes
    the old one.
    """
    types = ",".join(model.instance_types)
    return endpoint_prefix(stage, model.name) + hashlib.sha256(types.encode()).hexdigest()[:8]


def endpoint_parameter(stage: str, model: str) -> str:
    """The name of the SSM parameter that holds the name of a model's current endpoint."""
    return f"/stable-diffusion/{stage}/endpoints/{model}"
