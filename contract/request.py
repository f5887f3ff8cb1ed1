"""The request: the body of POST /v1/jobs, and of an invocation."""

from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.identifiers import MAX_ATTEMPTS, JobId
from contract.images import ImageUri
from contract.options import (
    AdapterName,
    ControlNet,
    Hires,
    Lora,
    MetadataMode,
    Outpaint,
    OutputFormat,
    StepFraction,
    Upscale,
)
from contract.output_location import OutputPrefix
from contract.samplers import check_schedule_type, find_sampler
from contract.size import GRID, MAX_SIDE

MAX_SEED = 2**32 - 1
MAX_COUNT = 64
MAX_PROMPT_CHARACTERS = 4000
MAX_SAMPLER_CHARACTERS = 64
MAX_ADAPTERS = 8
MAX_CONTROLNETS = 4


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


ModelName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
Prompt = Annotated[
    str,
    Field(
        max_length=MAX_PROMPT_CHARACTERS,
        description="Prompt.",
        json_schema_extra={"minLength": 1, "pattern": r"\S"},
    ),
    AfterValidator(_check_not_blank),
]
NegativePrompt = Annotated[str, Field(max_length=MAX_PROMPT_CHARACTERS, description="Negative prompt.")]
Dimension = Annotated[
    int, Field(ge=GRID, le=MAX_SIDE, multiple_of=GRID, description=f"Pixels, a multiple of {GRID}.")
]
Steps = Annotated[int, Field(ge=1, le=1000, description="Denoising steps.")]
GuidanceScale = Annotated[
    float,
    Field(
        ge=0,
        le=50,
        allow_inf_nan=False,
        description="Classifier-free guidance scale; values up to 1 disable it.",
    ),
]
SamplerName = Annotated[
    str,
    Field(
        max_length=MAX_SAMPLER_CHARACTERS,
        description="Sampler: a name, label or alias from GET /v1/samplers.",
        json_schema_extra={"minLength": 1},
    ),
    AfterValidator(lambda name: find_sampler(name).name),
]
SchedulerName = Annotated[
    str,
    Field(
        max_length=MAX_SAMPLER_CHARACTERS,
        description=(
            "Noise schedule of the sampler, as AUTOMATIC1111 and ComfyUI name it: one of the sampler's "
            "`schedule_types` from GET /v1/samplers, or `automatic`. `sampler` may include it instead: "
            "`dpmpp_2m_karras`. Without `sampler`, it may name the sampler, as in Replicate's API."
        ),
        json_schema_extra={"minLength": 1},
    ),
    AfterValidator(check_schedule_type),
]
GuidanceRescale = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description=(
            "Share to which predictions with classifier-free guidance are rescaled to the contrast of those "
            "without it, against overexposure; models with zero terminal SNR need about 0.7. 0 disables it."
        ),
    ),
]


def _check_increasing(interval: tuple[float, float]) -> tuple[float, float]:
    if interval[0] >= interval[1]:
        raise ValueError("must be two increasing numbers, where guidance begins and where it ends")
    return interval


ALL_STEPS = (0.0, 1.0)
"""The guidance interval that applies guidance at every step."""

GuidanceInterval = Annotated[
    tuple[StepFraction, StepFraction],
    Field(
        strict=False,
        description=(
            "Two shares of the steps, between which classifier-free guidance applies; the other steps "
            "evaluate the prompt alone, at half the cost. An approximation, unless it is [0, 1]. Steps that "
            "image-to-image skips and those of the refiner count. Not for prompts with AND."
        ),
        json_schema_extra={"examples": [[0.2, 0.8]]},
    ),
    AfterValidator(_check_increasing),
]
TimestepSpacing = Annotated[
    Literal["leading", "trailing", "linspace"],
    Field(
        description=(
            "Spacing of the timesteps, as in diffusers' schedulers; few-step models need `trailing`. Null: "
            "the model's."
        )
    ),
]
Seed = Annotated[
    int,
    Field(ge=0, le=MAX_SEED, description="Seed of the first image; image i has seed + i."),
]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT, description="Number of images.")]
Strength = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        allow_inf_nan=False,
        description=(
            "Denoising strength of image-to-image: the share of the steps that run. At 1 the image begins as "
            "noise; its brightness and large shapes may still follow the input image, since samplers do not "
            "begin at infinite noise. With a mask, 1 begins from noise alone."
        ),
    ),
]
InputImage = Annotated[ImageUri, Field(description="Input image of image-to-image and inpainting.")]
MaskImage = Annotated[
    ImageUri,
    Field(
        description=(
            "Inpainting mask. White is regenerated, black is kept. A mask with transparent areas: opaque is "
            "regenerated, transparent is kept."
        )
    ),
]
MaskInvert = Annotated[
    bool, Field(description="Whether the mask is inverted: black is regenerated, white is kept.")
]
MaskAlpha = Annotated[
    bool,
    Field(
        description=(
            "Whether the mask is its alpha channel, whatever its colours and however few of its pixels are "
            "transparent: opaque is regenerated, transparent is kept."
        )
    ),
]
MaskPadding = Annotated[
    int,
    Field(
        ge=0,
        le=512,
        description=(
            "Only the masked area, with so many pixels of the input image around it, is generated, at the "
            "whole generation size, and pasted back: AUTOMATIC1111's `Only masked`. The image keeps the size "
            "of the input image. Null: the whole image is generated."
        ),
    ),
]
MaskBlur = Annotated[
    int,
    Field(
        ge=0,
        le=64,
        description="Mask blur: width in pixels of the transition between regenerated and kept areas.",
    ),
]
ClipSkip = Annotated[
    int,
    Field(
        ge=1,
        le=12,
        description="CLIP skip: the text encoder layer to use, counted from the last; 2 skips the last one.",
    ),
]
RefinerStart = Annotated[
    float,
    Field(gt=0, lt=1, description="Fraction of the steps after which the SDXL refiner takes over."),
]
Quality = Annotated[
    int, Field(ge=1, le=100, description="Quality of JPEG and WebP files; PNG files are lossless.")
]
Loras = Annotated[tuple[Lora, ...], Field(max_length=MAX_ADAPTERS, strict=False)]
Embeddings = Annotated[
    tuple[AdapterName, ...],
    Field(
        max_length=MAX_ADAPTERS,
        strict=False,
        description=(
            "Textual inversions: names of files under `adapters/embeddings/` in the models bucket, without "
            "their suffixes. The prompts refer to each by its name."
        ),
        json_schema_extra={"uniqueItems": True},
    ),
]
ControlNets = Annotated[tuple[ControlNet, ...], Field(max_length=MAX_CONTROLNETS, strict=False)]
VaeName = Annotated[
    AdapterName,
    Field(
        description=(
            "VAE: name of a directory or file under `adapters/vaes/` in the models bucket; null: the model's "
            "own."
        )
    ),
]
Metadata = Annotated[
    MetadataMode,
    Field(
        strict=False,
        description=(
            "Metadata in the image files: `full` (AUTOMATIC1111's parameters text and the request as JSON, "
            "with input images named by their SHA-256), `parameters` (the parameters text only) or `none`."
        ),
    ),
]
Preview = Annotated[
    bool,
    Field(
        description=(
            "Whether the job shows a small preview of its first image while it is generated, renewed at most "
            "every two seconds. Stages whose NSFW filter blurs or blocks images show none."
        )
    ),
]


class JobRequest(BaseModel):
    """A generation request. Omitted fields, and those that are null, take the model's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: ModelName | None = None
    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    width: Dimension | None = None
    height: Dimension | None = None
    steps: Steps | None = None
    guidance_scale: GuidanceScale | None = None
    guidance_rescale: GuidanceRescale | None = None
    guidance_interval: GuidanceInterval | None = None
    sampler: SamplerName | None = None
    scheduler: SchedulerName | None = None
    timestep_spacing: TimestepSpacing | None = None
    seed: Seed | None = None
    count: Count | None = None
    clip_skip: ClipSkip | None = None
    input_image: InputImage | None = None
    strength: Strength | None = None
    mask_image: MaskImage | None = None
    mask_invert: MaskInvert = False
    mask_alpha: MaskAlpha = False
    mask_blur: MaskBlur | None = None
    mask_padding: MaskPadding | None = None
    outpaint: Outpaint | None = None
    controlnets: ControlNets = ()
    loras: Loras = ()
    embeddings: Embeddings = ()
    vae: VaeName | None = None
    refiner_start: RefinerStart | None = None
    hires: Hires | None = None
    upscale: Upscale | None = None
    output_format: Annotated[OutputFormat, Field(strict=False)] = OutputFormat.PNG
    quality: Quality = 90
    metadata: Metadata | None = None
    preview: Preview = False
    output_s3_uri: OutputPrefix | None = None


class InvocationRequest(JobRequest):
    """The body of an invocation: a request that may have a job id."""

    id: JobId | None = None
    attempt: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)


class HasInputImages(Protocol):
    """The image fields that `JobRequest` and `Generation` have in common."""

    @property
    def input_image(self) -> str | None:
        """See `InputImage`."""
        ...

    @property
    def mask_image(self) -> str | None:
        """See `MaskImage`."""
        ...

    @property
    def controlnets(self) -> tuple[ControlNet, ...]:
        """See `ControlNet`."""
        ...


def input_image_uris(request: HasInputImages) -> dict[str, str]:
    """The URIs of the input image, the mask and the control images, by the JSON pointers of their fields."""
    uris = {"#/input_image": request.input_image, "#/mask_image": request.mask_image}
    uris |= {control_image_pointer(index): each.image for index, each in enumerate(request.controlnets)}
    return {pointer: uri for pointer, uri in uris.items() if uri is not None}


def control_image_pointer(index: int) -> str:
    """The JSON pointer to the control image of ControlNet number `index`."""
    return f"#/controlnets/{index}/image"
