"""A generation: a request in which every value is decided."""

import secrets
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from contract.identifiers import JobId
from contract.model import ModelDeclaration, ModelDefaults
from contract.options import Hires, Lora, MetadataMode, Outpaint, OutputFormat, Upscale
from contract.output_location import OutputPrefix
from contract.problem import ErrorCode, FieldError, ProblemError, bound_errors, describe
from contract.prompts.prompt import PromptStage, parse_positive, prompt_stages
from contract.request import (
    ALL_STEPS,
    MAX_COUNT,
    MAX_SEED,
    ClipSkip,
    ControlNets,
    Count,
    Dimension,
    Embeddings,
    GuidanceInterval,
    GuidanceRescale,
    GuidanceScale,
    InputImage,
    JobRequest,
    Loras,
    MaskAlpha,
    MaskBlur,
    MaskImage,
    MaskInvert,
    MaskPadding,
    Metadata,
    ModelName,
    NegativePrompt,
    Preview,
    Prompt,
    Quality,
    RefinerStart,
    SamplerName,
    Seed,
    Steps,
    Strength,
    TimestepSpacing,
    VaeName,
)
from contract.rules import effective_strength, violations
from contract.samplers import find_sampler, select_sampler

_MASK_BLUR = 4
_SAMPLING_FIELDS = (
    "guidance_scale",
    "guidance_rescale",
    "guidance_interval",
    "sampler",
    "timestep_spacing",
    "clip_skip",
)
_COPIED_FIELDS = (
    "prompt",
    "negative_prompt",
    "input_image",
    "mask_image",
    "mask_invert",
    "mask_alpha",
    "mask_padding",
    "outpaint",
    "controlnets",
    "loras",
    "embeddings",
    "refiner_start",
    "upscale",
    "output_format",
    "quality",
    "preview",
    "output_s3_uri",
)


def new_seed() -> int:
    """A random seed such that seed + count - 1 is at most MAX_SEED for every count."""
    return secrets.randbelow(MAX_SEED + 2 - MAX_COUNT)


class InvalidRequestError(ProblemError):
    """A request has invalid fields, or requests something that the model does not support."""

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, errors: tuple[FieldError, ...], *, omitted: int = 0) -> None:
        """Limits the number of errors.

        Args:
            errors: one for each invalid field.
            omitted: the number of further errors, which are only counted.
        """
        bounded = bound_errors(errors, omitted=omitted)
        super().__init__(describe(bounded), errors=bounded)


class Generation(BaseModel):
    """A complete request. Its JSON is a valid `InvocationRequest`, which resolves to an equal generation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: JobId
    model: ModelName
    prompt: Prompt
    negative_prompt: NegativePrompt
    width: Dimension | None = Field(description="Null: derived from the input image.")
    height: Dimension | None = Field(description="Null: derived from the input image.")
    steps: Steps
    guidance_scale: GuidanceScale
    sampler: SamplerName
    seed: Seed
    count: Count
    guidance_rescale: GuidanceRescale = 0.0
    guidance_interval: GuidanceInterval = ALL_STEPS
    timestep_spacing: TimestepSpacing | None = None
    clip_skip: ClipSkip = 1
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
    output_format: OutputFormat = OutputFormat.PNG
    quality: Quality = 90
    metadata: Metadata = MetadataMode.FULL
    preview: Preview = False
    output_s3_uri: OutputPrefix | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each image."""
        return tuple(self.seed + index for index in range(self.count))

    @property
    def active_loras(self) -> tuple[Lora, ...]:
        """The LoRAs that the prompt names, and those of `loras`."""
        return (*parse_positive(self.prompt).loras, *self.loras)

    def lora_pointer(self, index: int) -> str:
        """The JSON pointer to the name of LoRA `index` of `active_loras`."""
        in_prompt = len(parse_positive(self.prompt).loras)
        return "#/prompt" if index < in_prompt else f"#/loras/{index - in_prompt}/name"

    @property
    def prompt_stages(self) -> tuple[PromptStage, ...]:
        """The texts of both prompts over the denoiser evaluations."""
        steps = self.steps * find_sampler(self.sampler).evaluations_per_step
        return prompt_stages(self.prompt, self.negative_prompt, steps=steps)

    @property
    def prompt_weights(self) -> tuple[float, ...]:
        """The weights of the prompts that AND joins; a single 1 without it."""
        return parse_positive(self.prompt).weights

    def chosen_beside(self, defaults: ModelDefaults) -> frozenset[str]:
        """The names of the sampling fields whose values are not the model's defaults."""
        return frozenset(name for name in _SAMPLING_FIELDS if getattr(self, name) != getattr(defaults, name))

    @classmethod
    def resolve(cls, request: JobRequest, model: ModelDeclaration, *, job_id: str, seed: int) -> Self:
        """Completes a request with the model's defaults, and checks it against the model's limits.

        Args:
            request: the client's request.
            model: the model that the request is for.
            job_id: the id of the job.
            seed: used if the request has no seed.

        Raises:
            InvalidRequestError: fields contradict each other or exceed the model's limits; names all of them.
        """
        errors = violations(request, model)
        if errors:
            raise InvalidRequestError(errors)
        defaults = model.defaults
        is_text_to_image = request.input_image is None
        steps = request.steps or defaults.steps
        sampler = select_sampler(request.sampler, request.scheduler, default=defaults.sampler)
        copied = {name: getattr(request, name) for name in _COPIED_FIELDS}
        return cls(
            **copied,
            id=job_id,
            model=model.name,
            width=request.width or (defaults.width if is_text_to_image else None),
            height=request.height or (defaults.height if is_text_to_image else None),
            steps=steps,
            guidance_scale=(
                defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale
            ),
            guidance_rescale=(
                defaults.guidance_rescale if request.guidance_rescale is None else request.guidance_rescale
            ),
            guidance_interval=_guidance_interval(request, defaults),
            sampler=sampler.name,
            timestep_spacing=(
                (request.timestep_spacing or defaults.timestep_spacing)
                if sampler.takes_timestep_spacing
                else None
            ),
            seed=seed if request.seed is None else request.seed,
            count=request.count or defaults.count,
            clip_skip=request.clip_skip or defaults.clip_skip,
            vae=request.vae or defaults.vae,
            strength=effective_strength(request, defaults),
            mask_blur=_mask_blur(request),
            hires=request.hires and request.hires.model_copy(update={"steps": request.hires.steps or steps}),
            metadata=request.metadata or defaults.metadata,
        )


def _guidance_interval(request: JobRequest, defaults: ModelDefaults) -> GuidanceInterval:
    """All steps where AND joins prompts: their predictions are differences from the negative prompt's."""
    if len(parse_positive(request.prompt).prompts) > 1:
        return ALL_STEPS
    return request.guidance_interval or defaults.guidance_interval


def _mask_blur(request: JobRequest) -> int | None:
    if request.mask_image is None and request.outpaint is None:
        return None
    return _MASK_BLUR if request.mask_blur is None else request.mask_blur
