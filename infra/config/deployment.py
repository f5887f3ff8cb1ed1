"""A whole stage."""

from collections import Counter
from typing import Any, Literal, Self

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Node
from pydantic import Field, ValidationError, model_validator

from contract import keys
from contract.model import ServedModel
from contract.source import HubSource
from infra.config.alarms import AlarmsConfig
from infra.config.api import ApiConfig
from infra.config.base import Config, InvalidConfigurationError
from infra.config.image import CodeBuildImage, ImageConfig
from infra.config.model import ModelConfig
from infra.config.network import IsolatedNetwork, NetworkConfig, PublicNetwork
from infra.config.validation_errors import sentences

_DAYS = logs.RetentionDays
_LOG_RETENTION = {
    1: _DAYS.ONE_DAY,
    7: _DAYS.ONE_WEEK,
    14: _DAYS.TWO_WEEKS,
    30: _DAYS.ONE_MONTH,
    90: _DAYS.THREE_MONTHS,
    180: _DAYS.SIX_MONTHS,
    365: _DAYS.ONE_YEAR,
    731: _DAYS.TWO_YEARS,
}


class DeploymentConfig(Config):
    """One stage."""

    stage: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    """The stage's name: its key in `stages`."""

    models: tuple[ModelConfig, ...] = Field(min_length=1)
    """The models that have endpoints of their own; the first is the default."""

    image: ImageConfig = CodeBuildImage()
    """Where the inference container's image comes from."""

    api: ApiConfig = ApiConfig()
    """Who may use the API, and how much."""

    network: NetworkConfig = PublicNetwork()
    """Where the containers are placed in the network."""

    alarms: AlarmsConfig = AlarmsConfig()
    """When somebody is called."""

    customer_managed_key: bool = False
    """Encrypts buckets, table, queues and topics with a KMS key of the stage's own."""

    retention_days: int = Field(default=30, ge=1)
    """Days for which jobs and their objects are kept."""

    log_retention_days: Literal[1, 7, 14, 30, 90, 180, 365, 731] = 30
    """Days for which logs are kept."""

    log_prompts: bool = False
    """Puts prompts into the logs. They may be personal data."""

    tracing: bool = True
    """Follows requests through API and functions with AWS X-Ray."""

    keep_data: bool = True
    """Keeps buckets, table, key and logs when the stacks are deleted; else they go with what they hold."""

    powertools_layer_version: int = Field(default=27, ge=1)
    """The version of AWS's public Lambda layer with Powertools for Python."""

    termination_protection: bool = False
    """Refuses to delete the stack that holds the data."""

    @model_validator(mode="after")
    def _check_names_differ(self) -> Self:
        times = Counter(model.name for model in self.served)
        repeated = [name for name, number in times.items() if number > 1]
        if repeated:
            raise ValueError(f"models are named twice: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _check_names_leave_room_for_adapters(self) -> Self:
        taken = keys.ADAPTERS_PREFIX.removesuffix("/")
        if any(model.name == taken for model in self.served):
            raise ValueError(
                f"no model may be named {taken}: LoRAs and the like lie under {keys.ADAPTERS_PREFIX} in the "
                "models bucket; name it otherwise"
            )
        return self

    @model_validator(mode="after")
    def _check_hub_is_reachable(self) -> Self:
        fetched = [model.name for model in self.served if isinstance(model.source, HubSource)]
        if fetched and isinstance(self.network, IsolatedNetwork):
            raise ValueError(
                f"{', '.join(fetched)} would come from the Hugging Face hub, which an isolated network does "
                "not reach; put the files into the models bucket, or choose another network"
            )
        return self

    @property
    def served(self) -> tuple[ServedModel, ...]:
        """Every model that jobs may name."""
        return tuple(each for model in self.models for each in model.served)

    @property
    def default_model(self) -> str:
        """The name of the model that serves jobs which name none."""
        return self.models[0].name

    @property
    def log_retention(self) -> logs.RetentionDays:
        """For how long logs are kept."""
        return _LOG_RETENTION[self.log_retention_days]

    @property
    def removal_policy(self) -> cdk.RemovalPolicy:
        """What becomes of logs when their stack is deleted."""
        return cdk.RemovalPolicy.RETAIN if self.keep_data else cdk.RemovalPolicy.DESTROY

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """The stage that the context names, from `stages` in cdk.json.

        Raises:
            InvalidConfigurationError: there is no such stage, or something in it is wrong.
        """
        return cls.of_stage(node.try_get_context("stage"), node.try_get_context("stages") or {})

    @classmethod
    def of_stage(cls, stage: str | None, stages: dict[str, Any]) -> Self:
        """The stage of that name.

        Raises:
            InvalidConfigurationError: there is no such stage, or something in it is wrong.
        """
        if stage not in stages:
            raise InvalidConfigurationError(
                f"cdk.json has no stage {stage!r}; choose with -c stage=NAME from {', '.join(stages)}"
            )
        if "stage" in stages[stage]:
            raise InvalidConfigurationError(f"cdk.json: stages.{stage}.stage is not a setting; it is the key")
        try:
            return cls.model_validate({"stage": stage, **stages[stage]})
        except ValidationError as error:
            found = sentences(cls, error, root=f"stages.{stage}", hidden=("stage",))
            faults = "\n".join(f"  {fault}" for fault in found)
            raise InvalidConfigurationError(f"cdk.json:\n{faults}") from error
