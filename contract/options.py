"""The request fields that are objects, and the enumerations of a request."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from contract.adapter_name import MAX_LENGTH, normalize_adapter_name
from contract.images import ImageUri
from contract.keys import LANCZOS
from contract.size import GRID

AdapterName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_LENGTH,
        description="A file's name in any script, without its suffix: no slashes, and no dot in front.",
    ),
    AfterValidator(normalize_adapter_name),
]
Border = Annotated[
    int, Field(ge=0, le=2048, multiple_of=GRID, description=f"Pixels to add, a multiple of {GRID}.")
]
StepFraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
HiresStrength = Annotated[
    float,
    Field(gt=0, le=1, allow_inf_nan=False, description="Denoising strength of the second pass."),
]
UpscalerName = Annotated[
    AdapterName,
    Field(
        description=(
            "Upscaler: name of a file under `adapters/upscalers/` in the models bucket, without its suffix; "
            f"or `{LANCZOS}`, which needs no model."
        )
    ),
]


class Options(BaseModel):
    """Base of the request fields that are objects.

    Attributes:
        example: a valid object, for documentation and error messages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    example: ClassVar[dict[str, Any]]


class OutputFormat(StrEnum):
    """The file format of the images."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """The media type, such as `image/png`."""
        return f"image/{self}"


class MetadataMode(StrEnum):
    """The metadata that image files contain."""

    FULL = "full"
    """AUTOMATIC1111's parameters text, and the request as JSON."""

    PARAMETERS = "parameters"
    """AUTOMATIC1111's parameters text, without hashes of input images."""

    NONE = "none"
    """No metadata."""


class Lora(Options):
    """A LoRA and its weight."""

    example = {"name": "moon", "weight": 1.0}

    name: AdapterName = Field(
        description="Name of a file under `adapters/loras/` in the models bucket, without its suffix."
    )
    weight: float = Field(default=1.0, ge=-4, le=4, allow_inf_nan=False, description="Scale of the LoRA.")


class ControlNet(Options):
    """A ControlNet and its control image."""

    example = {"type": "canny", "image": "s3://bucket/inputs/edges.png"}

    type: AdapterName = Field(
        description="Name of a directory under `adapters/controlnets/` in the models bucket."
    )
    image: ImageUri = Field(
        description="Control image; with `preprocess`, the image that the control image is computed from."
    )
    weight: float = Field(
        default=1.0, ge=0, le=2, allow_inf_nan=False, description="Conditioning scale of the ControlNet."
    )
    start: StepFraction = Field(
        default=0.0, description="Fraction of the steps at which the ControlNet starts to apply."
    )
    end: StepFraction = Field(
        default=1.0, description="Fraction of the steps at which the ControlNet stops applying."
    )
    preprocess: bool = Field(
        default=False, description="Compute the control image from `image`; only for `canny`."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start >= self.end:
            raise ValueError("start must be less than end")
        if self.preprocess and self.type != "canny":
            raise ValueError(
                "preprocess is only available for canny; send the finished control image without preprocess"
            )
        return self


class Outpaint(Options):
    """Borders by which the input image is extended."""

    example = {"left": 64, "right": 64}

    left: Border = 0
    right: Border = 0
    top: Border = 0
    bottom: Border = 0

    @model_validator(mode="after")
    def _check_not_empty(self) -> Self:
        if not (self.left or self.right or self.top or self.bottom):
            raise ValueError(f"must add at least {GRID} pixels on one side")
        return self


class Hires(Options):
    """Hires fix: upscales the image and denoises it a second time."""

    example = {"scale": 2.0, "strength": 0.5}

    scale: float = Field(
        default=2.0, gt=1, le=4, allow_inf_nan=False, description="Scale factor of width and height."
    )
    steps: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Denoising steps of the second pass; null: those of the first pass."
    )
    strength: HiresStrength = 0.5
    upscaler: UpscalerName = LANCZOS


class Upscale(Options):
    """Upscaling of the finished image, without further denoising."""

    example = {"scale": 2.0, "upscaler": LANCZOS}

    scale: float = Field(
        default=2.0, gt=1, le=4, allow_inf_nan=False, description="Scale factor of width and height."
    )
    upscaler: UpscalerName = LANCZOS
