"""A generation: a request with every decision taken."""

import secrets
from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from contract.identifiers import JobId
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.options import Hires, Outpaint, OutputFormat, Upscale
from contract.problem import ErrorCode, FieldError, ProblemError, describe
from contract.request import (
    MAX_COUNT,
    MAX_SEED,
    ClipSkip,
    ControlNets,
    Count,
    Dimension,
    Embeddings,
    GuidanceScale,
    InputImage,
    JobRequest,
    Loras,
    MaskBlur,
    MaskImage,
    ModelName,
    NegativePrompt,
    Prompt,
    Quality,
    RefinerStart,
    SamplerName,
    Seed,
    Steps,
    Strength,
    VaeName,
)


def new_seed() -> int:
    """A random seed that leaves room for any count."""
    return secrets.randbelow(MAX_SEED + 2 - MAX_COUNT)


class InvalidRequestError(ProblemError):
    """The request has fields that are wrong, or asks for what the model does not offer."""

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(describe(errors), errors=errors)


class Generation(BaseModel):
    """What the container draws. Its JSON is a valid `InvocationRequest` that resolves to itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: JobId
    model: ModelName
    prompt: Prompt
    negative_prompt: NegativePrompt
    width: Dimension | None = Field(description="None follows the shape of the input image.")
    height: Dimension | None = Field(description="None follows the shape of the input image.")
    steps: Steps
    guidance_scale: GuidanceScale
    sampler: SamplerName
    seed: Seed
    count: Count
    clip_skip: ClipSkip = 1
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
    output_format: OutputFormat = OutputFormat.PNG
    quality: Quality = 90

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each image."""
        return tuple(self.seed + index for index in range(self.count))

    @classmethod
    def resolve(cls, request: JobRequest, model: ModelDeclaration, *, job_id: str, seed: int) -> Self:
        """The request, completed with the model's defaults and held to its limits.

        Args:
            request: what the client asked for.
            model: the model it goes to.
            job_id: the id it gets.
            seed: the seed to use where the client named none.

        Raises:
            InvalidRequestError: every field that is outside the model's limits, or does not go with another.
        """
        defaults = model.defaults
        from_image = request.input_image is not None
        steps = request.steps or defaults.steps
        asked = {name: getattr(request, name) for name in _AS_ASKED}
        generation = cls(
            **asked,
            id=job_id,
            model=model.name,
            width=request.width or (None if from_image else defaults.width),
            height=request.height or (None if from_image else defaults.height),
            steps=steps,
            guidance_scale=(
                defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale
            ),
            sampler=request.sampler or defaults.sampler,
            seed=seed if request.seed is None else request.seed,
            count=request.count or defaults.count,
            clip_skip=request.clip_skip or defaults.clip_skip,
            strength=_strength(request, defaults) if from_image else None,
            mask_blur=_mask_blur(request),
            hires=request.hires and request.hires.model_copy(update={"steps": request.hires.steps or steps}),
        )
        errors = (
            *_contradictions(request),
            *_repetitions(request),
            *_violations(generation, model.limits),
        )
        if errors:
            raise InvalidRequestError(errors)
        return generation


_AS_ASKED = (
    "prompt",
    "negative_prompt",
    "input_image",
    "mask_image",
    "outpaint",
    "controlnets",
    "loras",
    "embeddings",
    "vae",
    "refiner_start",
    "upscale",
    "output_format",
    "quality",
)
_TIED = ("input_image", "strength", "mask_image", "mask_blur", "outpaint", "width", "height", "hires")
_MASK_BLUR = 4


def _strength(request: JobRequest, defaults: ModelDefaults) -> float:
    """Beyond the borders of the input image there is nothing to depart from."""
    return request.strength or (1.0 if request.outpaint else defaults.strength)


def _mask_blur(request: JobRequest) -> int | None:
    if request.mask_image is None and request.outpaint is None:
        return None
    return _MASK_BLUR if request.mask_blur is None else request.mask_blur


def _contradictions(request: JobRequest) -> Iterator[FieldError]:
    """Fields that need others, or exclude them."""
    given = {name for name in _TIED if getattr(request, name) is not None}
    if "input_image" not in given:
        for name in ("strength", "mask_image", "outpaint"):
            if name in given:
                yield FieldError(pointer=f"#/{name}", detail="needs an input_image to start from")
    elif "hires" in given:
        yield FieldError(pointer="#/hires", detail="goes with a prompt alone; leave input_image out")
    if "outpaint" in given:
        for name in ("mask_image", "width", "height"):
            if name in given:
                detail = "does not go with outpaint, which says itself what is drawn anew; leave it out"
                yield FieldError(pointer=f"#/{name}", detail=detail)
    if "mask_blur" in given and given.isdisjoint({"mask_image", "outpaint"}):
        yield FieldError(pointer="#/mask_blur", detail="needs a mask_image or outpaint")


def _repetitions(request: JobRequest) -> Iterator[FieldError]:
    for name, names in (("loras", [each.name for each in request.loras]), ("embeddings", request.embeddings)):
        if len(set(names)) < len(names):
            yield FieldError(pointer=f"#/{name}", detail="names one twice; give it once")


def _violations(generation: Generation, limits: ModelLimits) -> Iterator[FieldError]:
    for name, pixels in (("width", generation.width), ("height", generation.height)):
        if pixels is not None and not limits.min_size <= pixels <= limits.max_size:
            detail = f"must be between {limits.min_size} and {limits.max_size} pixels, not {pixels}"
            yield FieldError(pointer=f"#/{name}", detail=detail)
    yield from _unsuitable_steps(generation, limits)
    yield from _oversized(generation, limits)

    if generation.count > limits.max_count:
        detail = f"must be at most {limits.max_count}, not {generation.count}"
        yield FieldError(pointer="#/count", detail=detail)
    if generation.seeds[-1] > MAX_SEED:
        detail = f"seed + count - 1 must be at most {MAX_SEED}, not {generation.seeds[-1]}"
        yield FieldError(pointer="#/seed", detail=detail)


def _unsuitable_steps(generation: Generation, limits: ModelLimits) -> Iterator[FieldError]:
    hires = generation.hires
    passes = [("#", generation.steps, generation.strength)]
    if hires is not None and hires.steps is not None:
        passes.append(("#/hires", hires.steps, hires.strength))
    for place, steps, strength in passes:
        if steps > limits.max_steps:
            detail = f"must be at most {limits.max_steps}, not {steps}"
            yield FieldError(pointer=f"{place}/steps", detail=detail)
        if strength is not None and int(steps * strength) < 1:
            detail = f"{steps} steps at strength {strength:g} leave none to run; raise strength or steps"
            yield FieldError(pointer=f"{place}/strength", detail=detail)


def _oversized(generation: Generation, limits: ModelLimits) -> Iterator[FieldError]:
    """Passes whose output would exceed the limits; a size that depends on an input image is checked later."""
    size = max(generation.width or 0, generation.height or 0)
    for name, scale in (
        ("hires", generation.hires and generation.hires.scale),
        ("upscale", generation.upscale and generation.upscale.scale),
    ):
        size = int(size * (scale or 1))
        if scale is not None and size > limits.max_output_size:
            detail = f"would make {size} pixels a side; at most {limits.max_output_size} are allowed"
            yield FieldError(pointer=f"#/{name}/scale", detail=detail)
