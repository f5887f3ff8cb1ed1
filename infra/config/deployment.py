"""The configuration of a stage."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from pydantic import Field, ValidationError, model_validator

from contract import keys
from contract.model import ServedModel
from contract.output_location import OutputPrefix
from contract.source import HubSource
from infra.config.alarms import AlarmsConfig
from infra.config.api import ApiConfig
from infra.config.base import Config, InvalidConfigurationError
from infra.config.environment import EnvironmentConfig, Tags
from infra.config.image import CodeBuildImage, ImageConfig, RegistryImage
from infra.config.model import ModelConfig
from infra.config.network import (
    ZONES_OF_UNKNOWN_REGION,
    IsolatedNetwork,
    NetworkConfig,
    PublicNetwork,
)
from infra.config.validation_errors import describe_errors
from infra.config.web import WebConfig, reason_against_page

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
    """The settings of a stage."""

    stage: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    """The name of the stage, which is its key in `stages`."""

    models: tuple[ModelConfig, ...] = Field(min_length=1)
    """The models, each with its own endpoint. Jobs that name no model use the first one."""

    image: ImageConfig = CodeBuildImage()
    """The source of the inference container's image."""

    api: ApiConfig = ApiConfig()
    """Authentication and request limits of the API."""

    web: WebConfig | None = WebConfig()
    """The web page, or null for none. A stage that does not name it has none either if browsers cannot use
    its API: with `api.auth` of the type `iam`, with `cognito` as long as `web.sign_in` is not set, with
    `api.vpc_endpoint_ids`, and in AWS's regions in China and for governments."""

    network: NetworkConfig = PublicNetwork()
    """The network of the inference containers."""

    environment: EnvironmentConfig | None = None
    """The account and region of the stage; otherwise those of the credentials that deploy it."""

    tags: Tags = Field(default={})
    """Tags of all resources, such as `{"team": "design"}`. A change replaces the instances of the endpoints,
    as a change of a model's settings does."""

    permissions_boundary: str | None = Field(default=None, pattern=r"^[\w+=,.@-]+(/[\w+=,.@-]+)*$")
    """The name, with its path, of an IAM policy of the account that becomes the permissions boundary of every
    role."""

    alarms: AlarmsConfig = AlarmsConfig()
    """The recipients and thresholds of the alarms."""

    customer_managed_key: bool = False
    """Encrypts buckets, table, queues and topics with a KMS key of the stage. Access logs, the page's files
    and log groups keep the encryption of S3 and CloudWatch."""

    retention_days: int = Field(default=30, ge=1)
    """Days after which jobs and their objects are deleted."""

    output_prefixes: tuple[Annotated[OutputPrefix, Field(pattern=r"^[^*?$]+$")], ...] = ()
    """S3 prefixes, such as `s3://bucket/prefix/`, that `output_s3_uri` of a request must be within. Their
    buckets are in the stage's region, whose hosts the links to images name. The stage's roles receive access
    to them; the policy and the KMS key of a bucket in another account must allow it too. The page shows their
    images; it can use them again only if the CORS rules of the bucket allow `GET` from the page's address."""

    log_retention_days: Literal[1, 7, 14, 30, 90, 180, 365, 731] = 30
    """Days after which log events are deleted."""

    log_prompts: bool = False
    """Writes prompts to the logs. Prompts can contain personal data."""

    tracing: bool = True
    """Traces requests through the API and the functions with AWS X-Ray."""

    keep_data: bool = True
    """Keeps buckets, tables, key and signing secret when the stacks are deleted; otherwise they are deleted
    with all data. Log groups always remain, and their events expire: docs/operations.md has the command that
    deletes them."""

    powertools_layer_version: int = Field(default=27, ge=1)
    """The version of AWS's public Lambda layer of Powertools for Python."""

    termination_protection: bool = False
    """Protects the Storage stack against deletion."""

    @model_validator(mode="after")
    def _check_names_are_unique(self) -> Self:
        counts = Counter(model.name for model in self.served)
        repeated = [name for name, count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"model names must be unique; repeated: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _check_names_are_not_reserved(self) -> Self:
        reserved = keys.ADAPTERS_PREFIX.removesuffix("/")
        if any(model.name == reserved for model in self.served):
            raise ValueError(
                f"a model must not be named {reserved}: the prefix {keys.ADAPTERS_PREFIX} of the models "
                "bucket contains the adapters; choose another name"
            )
        return self

    @model_validator(mode="after")
    def _check_aliases(self) -> Self:
        names = {model.name for model in self.served}
        for alias, name in (self.api.model_aliases or {}).items():
            if alias in names:
                raise ValueError(f"api.model_aliases has {alias}, which is the name of a model; remove it")
            if name not in names:
                raise ValueError(
                    f"api.model_aliases.{alias} is {name}, but the models are {', '.join(sorted(names))}"
                )
        return self

    @model_validator(mode="after")
    def _check_hub_is_reachable(self) -> Self:
        from_hub = [model.name for model in self.served if isinstance(model.source, HubSource)]
        if from_hub and isinstance(self.network, IsolatedNetwork):
            raise ValueError(
                f"the models {', '.join(from_hub)} come from the Hugging Face Hub, which is not reachable "
                "from an isolated network; copy their files to the models bucket, or choose another network"
            )
        return self

    @model_validator(mode="after")
    def _check_zones_are_known(self) -> Self:
        network = self.network
        if (
            isinstance(network, IsolatedNetwork)
            and network.availability_zones > ZONES_OF_UNKNOWN_REGION
            and self.environment is None
        ):
            raise ValueError(
                f"network.availability_zones is {network.availability_zones}, but without environment the "
                f"network would get {ZONES_OF_UNKNOWN_REGION}; set environment.account and "
                "environment.region, or lower network.availability_zones"
            )
        return self

    @model_validator(mode="after")
    def _check_region_of_arns(self) -> Self:
        if self.environment is None:
            return self
        arns = [("alarms.topic_arns", arn) for arn in self.alarms.topic_arns]
        if isinstance(self.image, RegistryImage):
            arns.append(("image.repository_arn", self.image.repository_arn))
        for setting, arn in arns:
            region = arn.split(":")[3]
            if region != self.environment.region:
                raise ValueError(
                    f"{setting} has {arn} in the region {region}, but environment.region is "
                    f"{self.environment.region}; AWS requires the same region, so name one there"
                )
        return self

    @model_validator(mode="after")
    def _check_page_is_usable(self) -> Self:
        """A page that the stage does not ask for is left out instead."""
        if "web" in self.model_fields_set and self.web is not None:
            reason = reason_against_page(self.web, self.api, self.environment)
            if reason:
                raise ValueError(f"the page cannot work: {reason}")
        return self

    @property
    def page(self) -> WebConfig | None:
        """The settings of the page; None if the stage has none."""
        if self.web is None or reason_against_page(self.web, self.api, self.environment):
            return None
        return self.web

    @property
    def served(self) -> tuple[ServedModel, ...]:
        """All models that jobs may request, companions included."""
        return tuple(each for model in self.models for each in model.served)

    @property
    def default_model(self) -> str:
        """The model of jobs that name none."""
        return self.models[0].name

    @property
    def log_retention(self) -> logs.RetentionDays:
        """The retention of log groups."""
        return _LOG_RETENTION[self.log_retention_days]

    @property
    def removal_policy(self) -> cdk.RemovalPolicy:
        """The removal policy of everything that holds data, except logs."""
        return cdk.RemovalPolicy.RETAIN if self.keep_data else cdk.RemovalPolicy.DESTROY

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Reads the stage that the context variable `stage` names from `stages`.

        Raises:
            InvalidConfigurationError: the stage does not exist or is not valid.
        """
        return cls.for_stage(context.get("stage"), context.get("stages") or {})

    @classmethod
    def for_stage(cls, stage: str | None, stages: dict[str, Any]) -> Self:
        """Reads and validates a stage.

        Args:
            stage: the name of the stage.
            stages: the settings of all stages by name.

        Raises:
            InvalidConfigurationError: the stage does not exist or is not valid.
        """
        if stage not in stages:
            raise InvalidConfigurationError(
                f"cdk.json has no stage {stage!r}; its stages are: {', '.join(stages) or 'none'}. Choose one "
                "with STAGE=NAME (make) or -c stage=NAME (cdk)"
            )
        settings = stages[stage]
        if not isinstance(settings, dict):
            raise InvalidConfigurationError(f"cdk.json: stages.{stage} must be an object")
        if "stage" in settings:
            raise InvalidConfigurationError(
                f"cdk.json: stages.{stage}.stage is not a setting; the key is the stage's name"
            )
        try:
            return cls.model_validate({"stage": stage, **settings})
        except ValidationError as error:
            errors = describe_errors(cls, error, root=f"stages.{stage}", hidden=("stage",))
            lines = "\n".join(f"  {line}" for line in errors)
            raise InvalidConfigurationError(f"cdk.json:\n{lines}") from error
