"""A generation: a request with every decision taken."""

import secrets
from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from inference.contract.identifiers import JobId
from inference.contract.model import ModelDeclaration, ModelLimits
from inference.contract.problem import ErrorCode, FieldError, ProblemError, describe
from inference.contract.request import (
    MAX_COUNT,
    MAX_SEED,
    Count,
    Dimension,
    GuidanceScale,
    InputImage,
    JobRequest,
    ModelName,
    NegativePrompt,
    Prompt,
    SamplerName,
    Seed,
    Steps,
    Strength,
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
    input_image: InputImage | None = None
    strength: Strength | None = None

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
            InvalidRequestError: every field that is outside the model's limits.
        """
        defaults = model.defaults
        from_image = request.input_image is not None
        generation = cls(
            id=job_id,
            model=model.name,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            width=request.width or (None if from_image else defaults.width),
            height=request.height or (None if from_image else defaults.height),
            steps=request.steps or defaults.steps,
            guidance_scale=(
                defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale
            ),
            sampler=request.sampler or defaults.sampler,
            seed=seed if request.seed is None else request.seed,
            count=request.count or defaults.count,
            input_image=request.input_image,
            strength=(request.strength or defaults.strength) if from_image else None,
        )
        errors = tuple(_violations(generation, model.limits))
        if request.strength is not None and not from_image:
            errors += (FieldError(pointer="#/strength", detail="needs an input_image to start from"),)
        if errors:
            raise InvalidRequestError(errors)
        return generation


def _violations(generation: Generation, limits: ModelLimits) -> Iterator[FieldError]:
    for name, pixels in (("width", generation.width), ("height", generation.height)):
        if pixels is not None and not limits.min_size <= pixels <= limits.max_size:
            detail = f"must be between {limits.min_size} and {limits.max_size} pixels, not {pixels}"
            yield FieldError(pointer=f"#/{name}", detail=detail)

    steps, strength = generation.steps, generation.strength
    if steps > limits.max_steps:
        yield FieldError(pointer="#/steps", detail=f"must be at most {limits.max_steps}, not {steps}")
    if strength is not None and int(steps * strength) < 1:
        detail = f"{steps} steps at strength {strength:g} leave none to run; raise strength or steps"
        yield FieldError(pointer="#/strength", detail=detail)

    if generation.count > limits.max_count:
        detail = f"must be at most {limits.max_count}, not {generation.count}"
        yield FieldError(pointer="#/count", detail=detail)
    if generation.seeds[-1] > MAX_SEED:
        detail = f"seed + count - 1 must be at most {MAX_SEED}, not {generation.seeds[-1]}"
        yield FieldError(pointer="#/seed", detail=detail)
