"""What a client asks for: the body of POST /v1/jobs, and of an invocation."""

from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.identifiers import JobId
from contract.images import ImageUri
from contract.options import (
    AdapterName,
    ControlNet,
    Hires,
    Lora,
    Outpaint,
    OutputFormat,
    Upscale,
)
from contract.samplers import find_sampler
from contract.size import GRID

MAX_SEED = 2**32 - 1
MAX_COUNT = 64
MAX_PROMPT_CHARACTERS = 4000
MAX_ADAPTERS = 8
MAX_CONTROLNETS = 4


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


ModelName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
Prompt = Annotated[
    str,
    Field(max_length=MAX_PROMPT_CHARACTERS, description="What to draw."),
    AfterValidator(_check_not_blank),
]
NegativePrompt = Annotated[str, Field(max_length=MAX_PROMPT_CHARACTERS, description="What not to draw.")]
Dimension = Annotated[int, Field(ge=GRID, multiple_of=GRID, description=f"Pixels, a multiple of {GRID}.")]
Steps = Annotated[int, Field(ge=1, le=1000, description="Denoising steps.")]
GuidanceScale = Annotated[
    float,
    Field(ge=0, le=50, allow_inf_nan=False, description="Weight of the prompt; up to 1 switches it off."),
]
SamplerName = Annotated[
    str,
    Field(description="A name or alias from GET /v1/samplers."),
    AfterValidator(lambda name: find_sampler(name).name),
]
Seed = Annotated[
    int,
    Field(ge=0, le=MAX_SEED, description="Image i is drawn with seed + i."),
]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT, description="Images to draw.")]
Strength = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="How far to depart from the input image: at 1 nothing of it remains.",
    ),
]
InputImage = Annotated[ImageUri, Field(description="The picture to start from.")]
MaskImage = Annotated[ImageUri, Field(description="White where the input image is to be drawn anew.")]
MaskBlur = Annotated[
    int,
    Field(ge=0, le=64, description="Pixels over which what is drawn anew fades into what is kept."),
]
ClipSkip = Annotated[
    int,
    Field(ge=1, le=12, description="Which layer of the text encoder counts, from the end: 2 skips the last."),
]
RefinerStart = Annotated[
    float,
    Field(gt=0, lt=1, description="The share of the steps after which the model's refiner takes over."),
]
Quality = Annotated[int, Field(ge=1, le=100, description="Of JPEG and WebP files; PNG files lose nothing.")]
Loras = Annotated[tuple[Lora, ...], Field(max_length=MAX_ADAPTERS, strict=False)]
Embeddings = Annotated[
    tuple[AdapterName, ...],
    Field(
        max_length=MAX_ADAPTERS,
        strict=False,
        description=(
            "Textual inversions: file names under `adapters/embeddings/` in the models bucket, without their "
            "endings. Each stands in the prompts by its name."
        ),
    ),
]
ControlNets = Annotated[tuple[ControlNet, ...], Field(max_length=MAX_CONTROLNETS, strict=False)]
VaeName = Annotated[
    AdapterName,
    Field(description="A directory or file under `adapters/vaes/` in the models bucket; null: the model's."),
]


class JobRequest(BaseModel):
    """A job as a client describes it. What is left out, the model's own defaults decide."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: ModelName | None = None
    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    width: Dimension | None = None
    height: Dimension | None = None
    steps: Steps | None = None
    guidance_scale: GuidanceScale | None = None
    sampler: SamplerName | None = None
    seed: Seed | None = None
    count: Count | None = None
    clip_skip: ClipSkip | None = None
    input_image: InputImage | None = None
    strength: Strength | None = None
    mask_image: MaskImage | None = None
    mask_blur: MaskBlur | None = None
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


class InvocationRequest(JobRequest):
    """The body of an invocation: a job request that may already bear its id."""

    id: JobId | None = None


class NamesImages(Protocol):
    """What names pictures: a request, and what is made of it."""

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


def named_images(asked: NamesImages) -> dict[str, str]:
    """The URIs of the pictures that are named, by the JSON pointer to each."""
    named = {"#/input_image": asked.input_image, "#/mask_image": asked.mask_image}
    named |= {control_pointer(index): each.image for index, each in enumerate(asked.controlnets)}
    return {pointer: uri for pointer, uri in named.items() if uri is not None}


def control_pointer(index: int) -> str:
    """The JSON pointer to the picture of ControlNet number `index`."""
    return f"#/controlnets/{index}/image"
