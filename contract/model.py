"""What a model declares of itself: the defaults it fills in and the limits it holds to."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.request import (
    ClipSkip,
    Count,
    Dimension,
    GuidanceScale,
    ModelName,
    SamplerName,
    Steps,
    Strength,
)
from contract.source import HubSource, S3Source

MAX_SIDE = 16_376
"""Pixels of a side that every output format holds: WebP has room for 16,383."""


class ModelDefaults(BaseModel):
    """What a request gets where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Dimension = 512
    height: Dimension = 512
    steps: Steps = 30
    guidance_scale: GuidanceScale = 7.5
    sampler: SamplerName = "euler_a"
    count: Count = 1
    strength: Strength = 0.8
    clip_skip: ClipSkip = 1


class ModelLimits(BaseModel):
    """What a request may ask for at the most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_size: Dimension = Field(default=64, description="Pixels, the least width and the least height.")
    max_size: Dimension = Field(
        default=1024, le=MAX_SIDE, description="Pixels, the most width and the most height."
    )
    max_steps: Steps = 150
    max_count: Count = 4
    max_output_size: Dimension = Field(
        default=4096,
        le=MAX_SIDE,
        description="Pixels, the most width and height that hires and upscale may make.",
    )


class ModelDeclaration(BaseModel):
    """A model by the name that requests use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ModelName = Field(description="What requests call it; lower-case letters, digits and hyphens.")
    defaults: ModelDefaults = Field(
        default=ModelDefaults(), description="What a request gets where it says nothing."
    )
    limits: ModelLimits = Field(default=ModelLimits(), description="What a request may ask for at the most.")

    @model_validator(mode="after")
    def _check_defaults_are_allowed(self) -> Self:
        limits, defaults = self.limits, self.defaults
        outside = [
            name
            for name in ("width", "height")
            if not limits.min_size <= getattr(defaults, name) <= limits.max_size
        ]
        if defaults.steps > limits.max_steps:
            outside.append("steps")
        if defaults.count > limits.max_count:
            outside.append("count")
        if outside:
            raise ValueError(f"the defaults for {', '.join(outside)} are outside the model's own limits")
        return self


class ServedModel(ModelDeclaration):
    """A model and where its weights come from."""

    source: Annotated[S3Source | HubSource, Field(discriminator="type")] = Field(
        default=S3Source(), description="Where the weights come from."
    )

    @property
    def declaration(self) -> ModelDeclaration:
        """What whoever only sends requests needs to know of the model."""
        return ModelDeclaration(name=self.name, defaults=self.defaults, limits=self.limits)
