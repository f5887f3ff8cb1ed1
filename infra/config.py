"""What a stage in cdk.json may say."""

from collections import Counter
from typing import Any, Self

from constructs import Node
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inference.contract.model import ModelDeclaration


class InvalidConfigurationError(ValueError):
    """cdk.json or the command line says something that cannot be deployed."""


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScalingConfig(_Config):
    """How many instances an endpoint has."""

    min_instances: int = Field(default=0, ge=0)
    max_instances: int = Field(default=1, ge=1)
    target_backlog_per_instance: float = Field(
        default=4, gt=0, description="Requests, waiting and running, that an instance should have."
    )
    scale_out_cooldown_s: int = Field(default=60, ge=0)
    scale_in_cooldown_s: int = Field(default=600, ge=0)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min_instances > self.max_instances:
            raise ValueError("min_instances must not exceed max_instances")
        return self


class ModelConfig(ModelDeclaration):
    """A model and the endpoint that serves it."""

    instance_type: str = Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")
    inference_ami_version: str = Field(
        default="al2023-ami-sagemaker-inference-gpu-4-1",
        description="The host's image; its driver must suit the CUDA that torch is built for.",
    )
    max_concurrent_invocations: int = Field(default=4, ge=1, le=1000, description="Per instance.")
    download_timeout_s: int = Field(default=1800, ge=60, le=3600)
    startup_timeout_s: int = Field(default=900, ge=60, le=3600)
    scaling: ScalingConfig = ScalingConfig()

    @property
    def declaration(self) -> ModelDeclaration:
        """What the API and the container need to know of the model."""
        return ModelDeclaration(name=self.name, defaults=self.defaults, limits=self.limits)


class ApiConfig(_Config):
    """How much the API lets through."""

    rate_limit: float = Field(default=20, gt=0, description="Requests a second, in all and a key.")
    burst_limit: int = Field(default=40, gt=0, description="Requests at once.")


class DeploymentConfig(_Config):
    """One stage."""

    stage: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    models: tuple[ModelConfig, ...] = Field(min_length=1, description="The first is the default.")
    api: ApiConfig = ApiConfig()
    retention_days: int = Field(default=30, ge=1, description="How long jobs and their objects are kept.")
    powertools_layer_version: int = Field(default=27, ge=1)
    termination_protection: bool = False

    @model_validator(mode="after")
    def _check_names_differ(self) -> Self:
        repeated = [name for name, times in Counter(m.name for m in self.models).items() if times > 1]
        if repeated:
            raise ValueError(f"models are named twice: {', '.join(repeated)}")
        return self

    @property
    def default_model(self) -> str:
        """The name of the model that serves jobs which name none."""
        return self.models[0].name

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """The stage that the context names, from `stages` in cdk.json.

        Raises:
            InvalidConfigurationError: there is no such stage, or something in it is wrong.
        """
        stages: dict[str, Any] = node.try_get_context("stages") or {}
        stage = node.try_get_context("stage")
        if stage not in stages:
            raise InvalidConfigurationError(
                f"cdk.json has no stage {stage!r}; choose with -c stage=NAME from {', '.join(stages)}"
            )
        try:
            return cls.model_validate({"stage": stage, **stages[stage]})
        except ValidationError as error:
            faults = [f"stages.{stage}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            raise InvalidConfigurationError("cdk.json: " + "; ".join(faults)) from error
