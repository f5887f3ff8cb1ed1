"""A model, the endpoint that serves it, and how that scales."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contract.environment import MaxBatchSize
from contract.model import ServedModel
from contract.options import AdapterName
from contract.safety import SafetyMode
from infra.config.base import Config

InstanceType = Annotated[
    str,
    Field(
        pattern=r"^ml\.(g4dn|g5|g6|g6e|p4d|p4de|p5|p5e|p5en)\.(\d+)?xlarge$",
        examples=["ml.g5.xlarge"],
        description="A SageMaker instance type with an NVIDIA GPU of the families g4dn to p5en.",
    ),
]


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


class SafetyConfig(Config):
    """What happens to images that a detector takes for not safe for work."""

    mode: SafetyMode = SafetyMode.OFF
    """Nobody looks, such an image is flagged in its result, delivered blurred, or not delivered."""

    checker: AdapterName | None = None
    """A safety checker in diffusers' layout, by the name of its directory under `adapters/safety_checkers/`
    in the models bucket; left out, the model's own looks, or the small one that the image has."""

    @model_validator(mode="after")
    def _check_checker_is_used(self) -> Self:
        if self.checker and self.mode is SafetyMode.OFF:
            raise ValueError("a checker has nothing to do while mode is off; choose flag, blur or block")
        return self


class ModelConfig(ServedModel):
    """A model, the endpoint that serves it, and what else that endpoint serves."""

    companions: tuple[ServedModel, ...] = Field(
        default=(),
        max_length=16,
        description=(
            "Further models on the same endpoint. An instance fetches one when it is first asked for, and "
            "keeps as many as fit; those that were not used for the longest time leave."
        ),
    )
    model_memory_gib: float | None = Field(
        default=None,
        gt=0,
        description=(
            "GiB of the GPU's memory for the weights of all models on the endpoint; left out, whatever fits."
        ),
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
        description="Concurrent requests for each instance; below `max_batch_size` batches are never full.",
    )
    max_batch_size: MaxBatchSize = Field(
        default=8,
        description="The most images, of all jobs together, that share a step of the denoiser.",
    )
    fixed_batch_size: bool = Field(
        default=False,
        description="Draws in buckets of that size always, so that images do not depend on the load.",
    )
    compile: bool = Field(
        default=False,
        description=(
            "Draws with compiled code once that is ready, which takes minutes the first time; it is kept for "
            "the next instances."
        ),
    )
    safety: SafetyConfig = Field(
        default=SafetyConfig(), description="What happens to images that are not safe for work."
    )
    watermark: str | None = Field(
        default=None, max_length=80, description="What is written into a corner of every image."
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
    def served(self) -> tuple[ServedModel, ...]:
        """Every model on the endpoint, this one first."""
        return (self, *self.companions)
