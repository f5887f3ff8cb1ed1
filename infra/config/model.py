"""A model, the endpoint that serves it, and how that scales."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from inference.contract.environment import MaxBucket
from inference.contract.model import ModelDeclaration
from inference.contract.source import HubSource
from infra.config.base import Config

InstanceType = Annotated[
    str,
    Field(
        pattern=r"^ml\.(g4dn|g5|g6|g6e|p4d|p4de|p5|p5e|p5en)\.(\d+)?xlarge$",
        examples=["ml.g5.xlarge"],
        description="A SageMaker instance type with an NVIDIA GPU of the families g4dn to p5en.",
    ),
]


class S3Model(Config):
    """A directory in the diffusers layout with safetensors weights, in S3."""

    type: Literal["s3"] = "s3"
    uri: str | None = Field(default=None, pattern=r"^s3://[a-z0-9.-]{3,63}/.+/$")
    """Where it lies, with a slash at the end; left out, it is the model's name in the models bucket."""

    @property
    def bucket(self) -> str:
        """The bucket in `uri`."""
        return self._parts[0]

    @property
    def prefix(self) -> str:
        """The prefix in `uri`, with its slash."""
        return self._parts[2]

    @property
    def _parts(self) -> tuple[str, str, str]:
        return (self.uri or "").removeprefix("s3://").partition("/")


class HubModel(HubSource):
    """A repository of the Hugging Face hub, fetched when an instance starts."""


class ScheduledMinimum(Config):
    """A time from which an endpoint keeps a minimum of instances."""

    cron: str = Field(pattern=r"^cron\(\S+( \S+){5}\)$", examples=["cron(0 8 ? * MON-FRI *)"])
    """Application Auto Scaling's cron expression: minute, hour, day, month, weekday, year."""

    time_zone: str = "UTC"
    """The expression's time zone, by its IANA name, such as Europe/Berlin."""

    min_instances: int = Field(ge=0)
    """The minimum from then on, until another schedule changes it."""


class ScalingConfig(Config):
    """How many instances an endpoint has."""

    min_instances: int = Field(default=0, ge=0)
    """The least; 0 costs nothing while there is nothing to draw."""

    max_instances: int = Field(default=1, ge=1)
    """The most. The account needs a quota for as many."""

    target_backlog_per_instance: float = Field(default=4, gt=0)
    """Requests, waiting and running, that an instance should have: more instances start above it."""

    scale_out_cooldown_s: int = Field(default=60, ge=0)
    """Seconds between two increases."""

    scale_in_cooldown_s: int = Field(default=300, ge=0)
    """Seconds between two decreases."""

    idle_tail_s: int = Field(default=900, ge=60, le=86_400, multiple_of=60)
    """Seconds, in whole minutes, for which an instance must have been superfluous before it goes."""

    scheduled_minimums: tuple[ScheduledMinimum, ...] = ()
    """Minimums by the clock, such as one instance in office hours."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        minimums = (self.min_instances, *(each.min_instances for each in self.scheduled_minimums))
        if max(minimums) > self.max_instances:
            raise ValueError("min_instances, scheduled ones too, must not exceed max_instances")
        return self


class ModelConfig(ModelDeclaration):
    """A model and the endpoint that serves it."""

    source: Annotated[S3Model | HubModel, Field(discriminator="type")] = Field(
        default=S3Model(), description="Where the weights come from."
    )
    instance_types: tuple[InstanceType, ...] = Field(
        min_length=1,
        max_length=5,
        description=(
            "The instance type; or several, the preferred one first: SageMaker then takes the next one "
            "where it has no capacity for the one before."
        ),
    )
    max_concurrent_invocations: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Requests that an instance is given at once; fewer than `max_bucket` leave it unused.",
    )
    max_bucket: MaxBucket = Field(
        default=8,
        description="The most images, of all jobs together, that share a step of the denoiser.",
    )
    strict_bucket: bool = Field(
        default=False,
        description="Draws in buckets of that size always, so that images do not depend on the load.",
    )
    download_timeout_s: int = Field(
        default=1800, ge=60, le=3600, description="Seconds in which the weights must have come from S3."
    )
    startup_timeout_s: int = Field(
        default=900, ge=60, le=3600, description="Seconds in which the container must have loaded them."
    )
    invocation_timeout_s: int = Field(
        default=900, ge=1, le=3600, description="Seconds that a job may take once it has begun."
    )
    request_ttl_s: int = Field(
        default=21_600, ge=60, le=21_600, description="Seconds that a job may wait before it is dropped."
    )
    scaling: ScalingConfig = Field(default=ScalingConfig(), description="How many instances there are.")

    @model_validator(mode="after")
    def _check_types_differ(self) -> Self:
        if len(set(self.instance_types)) < len(self.instance_types):
            raise ValueError("instance_types names a type twice")
        return self

    @property
    def declaration(self) -> ModelDeclaration:
        """What the API and the container need to know of the model."""
        return ModelDeclaration(name=self.name, defaults=self.defaults, limits=self.limits)
