"""A model's declaration: its name, request defaults and request limits."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.default_type import default_type
from contract.options import MetadataMode
from contract.request import (
    ALL_STEPS,
    ClipSkip,
    Count,
    Dimension,
    GuidanceInterval,
    GuidanceRescale,
    GuidanceScale,
    ModelName,
    SamplerName,
    Steps,
    Strength,
    TimestepSpacing,
    VaeName,
)
from contract.source import HubSource, S3Source


class ModelDefaults(BaseModel):
    """Request values that are used where a request has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Dimension = 512
    height: Dimension = 512
    steps: Steps = 30
    guidance_scale: GuidanceScale = 7.5
    guidance_rescale: GuidanceRescale = 0.0
    guidance_interval: GuidanceInterval = ALL_STEPS
    sampler: SamplerName = "euler_a"
    timestep_spacing: TimestepSpacing | None = Field(
        default=None, description="Spacing of the timesteps; by default the one of the model's scheduler."
    )
    count: Count = 1
    strength: Strength = 0.8
    clip_skip: ClipSkip = 1
    vae: VaeName | None = Field(
        default=None,
        description=(
            "A VAE under `adapters/vaes/` in the models bucket, in place of the model's own; by default the "
            "model's own is used."
        ),
    )
    metadata: MetadataMode = Field(
        default=MetadataMode.FULL,
        description=(
            "Metadata in the image files: `full` (AUTOMATIC1111's parameters text and the request as JSON), "
            "`parameters` (the parameters text only) or `none`."
        ),
    )


class ModelLimits(BaseModel):
    """The largest request values that the model accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_size: Dimension = Field(default=64, description="Minimum width and height in pixels.")
    max_size: Dimension = Field(default=1024, description="Maximum width and height in pixels.")
    max_steps: Steps = 150
    max_count: Count = 4
    max_output_size: Dimension = Field(
        default=4096,
        description="Maximum width and height in pixels after `hires` and `upscale`.",
    )

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if not self.min_size <= self.max_size <= self.max_output_size:
            raise ValueError(
                f"min_size {self.min_size}, max_size {self.max_size} and max_output_size "
                f"{self.max_output_size} must not decrease in this order"
            )
        return self


class ModelDeclaration(BaseModel):
    """A model as the API presents it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ModelName = Field(description="Name of the model: lower-case letters, digits and hyphens.")
    defaults: ModelDefaults = Field(
        default=ModelDefaults(), description="Request values that are used where a request has none."
    )
    limits: ModelLimits = Field(
        default=ModelLimits(), description="The largest request values that the model accepts."
    )

    @model_validator(mode="after")
    def _check_defaults_are_allowed(self) -> Self:
        limits, defaults = self.limits, self.defaults
        bounds = {
            "width": (limits.min_size, limits.max_size, "min_size and max_size"),
            "height": (limits.min_size, limits.max_size, "min_size and max_size"),
            "steps": (1, limits.max_steps, "max_steps"),
            "count": (1, limits.max_count, "max_count"),
        }
        outside = [
            f"defaults.{name} is {getattr(defaults, name)}, but limits allow {low} to {high} ({names})"
            for name, (low, high, names) in bounds.items()
            if not low <= getattr(defaults, name) <= high
        ]
        if outside:
            raise ValueError("; ".join(outside))
        return self


class ServedModel(ModelDeclaration):
    """A model and the source of its weights."""

    source: Annotated[S3Source | HubSource, Field(discriminator="type"), default_type("s3")] = Field(
        default=S3Source(), description="Source of the weights."
    )

    @property
    def declaration(self) -> ModelDeclaration:
        """The declaration without the source."""
        return ModelDeclaration(name=self.name, defaults=self.defaults, limits=self.limits)
