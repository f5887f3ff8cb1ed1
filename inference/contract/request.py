"""What a client asks for: the body of POST /v1/jobs, and of an invocation."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from inference.contract.identifiers import JobId, S3Uri
from inference.contract.samplers import find_sampler

MAX_SEED = 2**32 - 1
MAX_COUNT = 64
MAX_PROMPT_CHARACTERS = 4000


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
Dimension = Annotated[int, Field(ge=8, multiple_of=8, description="Pixels, a multiple of 8.")]
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
InputImage = Annotated[S3Uri, Field(description="An image in the data bucket, `s3://...`, to start from.")]


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
    input_image: InputImage | None = None
    strength: Strength | None = None


class InvocationRequest(JobRequest):
    """The body of an invocation: a job request that may already bear its id."""

    id: JobId | None = None
