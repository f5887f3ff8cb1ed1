"""The parts of a request that have fields of their own."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.images import ImageUri
from contract.keys import LANCZOS
from contract.size import GRID

AdapterName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$",
        description="Letters, digits, dots, hyphens and underscores.",
    ),
]
Border = Annotated[
    int, Field(ge=0, le=2048, multiple_of=GRID, description=f"Pixels to add, a multiple of {GRID}.")
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
HiresStrength = Annotated[
    float,
    Field(gt=0, le=1, allow_inf_nan=False, description="How far the second pass departs from the first."),
]
UpscalerName = Annotated[
    AdapterName,
    Field(description=f"A model under `adapters/upscalers/` in the models bucket, or `{LANCZOS}`: no model."),
]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class OutputFormat(StrEnum):
    """What image files are made."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """As a Content-Type says it."""
        return f"image/{self}"


class Lora(_Options):
    """An adapter to the weights."""

    name: AdapterName = Field(
        description="The file's name under `adapters/loras/` in the models bucket, without its ending."
    )
    weight: float = Field(default=1.0, ge=-4, le=4, allow_inf_nan=False, description="How strongly it acts.")


class ControlNet(_Options):
    """A picture that guides the drawing, and the network that makes use of it."""

    type: AdapterName = Field(
        description="The directory's name under `adapters/controlnets/` in the models bucket."
    )
    image: ImageUri = Field(description="The map that guides; with `preprocess`, the picture it is made of.")
    weight: float = Field(default=1.0, ge=0, le=2, allow_inf_nan=False, description="How strongly it guides.")
    start: Share = Field(default=0.0, description="The share of the steps after which it begins to guide.")
    end: Share = Field(default=1.0, description="The share of the steps after which it stops.")
    preprocess: bool = Field(default=False, description="Finds the edges in `image`; for `canny` only.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start >= self.end:
            raise ValueError("start must be less than end")
        if self.preprocess and self.type != "canny":
            raise ValueError("only canny is computed here; send the finished map and leave preprocess out")
        return self


class Outpaint(_Options):
    """How far to draw beyond the input image."""

    left: Border = 0
    right: Border = 0
    top: Border = 0
    bottom: Border = 0

    @model_validator(mode="after")
    def _check_something_is_added(self) -> Self:
        if not (self.left or self.right or self.top or self.bottom):
            raise ValueError(f"must add at least {GRID} pixels on one side")
        return self


class Hires(_Options):
    """A second pass, over the first one's picture enlarged."""

    scale: float = Field(default=2.0, gt=1, le=4, allow_inf_nan=False, description="Times the size.")
    steps: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Steps of the second pass; null takes the first one's."
    )
    strength: HiresStrength = 0.5
    upscaler: UpscalerName = LANCZOS


class Upscale(_Options):
    """The finished picture enlarged, with nothing drawn anew."""

    scale: float = Field(default=2.0, gt=1, le=4, allow_inf_nan=False, description="Times the size.")
    upscaler: UpscalerName = LANCZOS
