"""The checks of a request that depend on several of its fields or on the model's limits."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from contract.model import ModelDeclaration, ModelDefaults
from contract.problem import FieldError
from contract.prompts.errors import PromptError
from contract.prompts.prompt import parse_positive
from contract.prompts.rules import prompt_errors
from contract.request import ALL_STEPS, MAX_SEED, JobRequest
from contract.samplers import select_sampler

_EXCLUDED_BY_OUTPAINT = ("mask_image", "width", "height")


class _Violation(NamedTuple):
    """A violated rule.

    Attributes:
        path: of the field, joined by slashes.
        detail: what is wrong and what is allowed.
        depends_on: further fields that the rule takes into account.
    """

    path: str
    detail: str
    depends_on: tuple[str, ...] = ()

    @property
    def fields(self) -> set[str]:
        return {self.path.partition("/")[0], *self.depends_on}


def violations(
    request: JobRequest, model: ModelDeclaration, *, malformed: AbstractSet[str] = frozenset()
) -> tuple[FieldError, ...]:
    """The violated rules.

    Args:
        request: the request, without its malformed fields.
        model: the model that the request is for.
        malformed: names of the malformed fields; rules that involve one of them are not applied.
    """
    found = (
        *_prompt_violations(request, model),
        *_contradictions(request),
        *_guidance_violations(request),
        *_duplicates(request),
        *_size_violations(request, model),
        *_step_violations(request, model),
        *_scheduler_violations(request, model),
        *_count_violations(request, model),
        *_output_size_violations(request, model),
    )
    return tuple(
        FieldError(pointer=f"#/{each.path}", detail=each.detail)
        for each in found
        if malformed.isdisjoint(each.fields)
    )


def effective_strength(request: JobRequest, defaults: ModelDefaults) -> float | None:
    """The denoising strength; None for text-to-image. Outpainting starts from noise by default."""
    if request.input_image is None:
        return None
    return request.strength or (1.0 if request.outpaint else defaults.strength)


def _prompt_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    for field, detail in prompt_errors(request, model):
        yield _Violation(field, detail, ("loras", "steps", "sampler", "hires"))


def _contradictions(request: JobRequest) -> Iterator[_Violation]:
    if request.input_image is None:
        for name in ("strength", "mask_image", "outpaint"):
            if getattr(request, name) is not None:
                yield _Violation(name, "requires input_image", ("input_image",))
    elif request.hires is not None:
        yield _Violation("hires", "is for text-to-image only; remove it or input_image", ("input_image",))
    if request.outpaint is not None:
        for name in _EXCLUDED_BY_OUTPAINT:
            if getattr(request, name) is not None:
                detail = "cannot be combined with outpaint, which determines the mask and the size; remove it"
                yield _Violation(name, detail)
    elif request.mask_blur is not None and request.mask_image is None:
        yield _Violation("mask_blur", "requires mask_image or outpaint", ("mask_image", "outpaint"))
    yield from _mask_contradictions(request)


def _mask_contradictions(request: JobRequest) -> Iterator[_Violation]:
    if request.mask_image is None:
        for name, is_given in (
            ("mask_invert", request.mask_invert),
            ("mask_alpha", request.mask_alpha),
            ("mask_padding", request.mask_padding is not None),
        ):
            if is_given:
                yield _Violation(name, "requires mask_image", ("mask_image",))
    elif request.mask_padding is not None and request.upscale is not None:
        detail = "cannot be combined with upscale, since the image keeps the input image's size; remove one"
        yield _Violation("mask_padding", detail, ("upscale",))


def _guidance_violations(request: JobRequest) -> Iterator[_Violation]:
    if request.guidance_interval in (None, ALL_STEPS):
        return
    try:
        joins = len(parse_positive(request.prompt).prompts) > 1
    except PromptError:
        return
    if joins:
        detail = (
            "cannot be combined with AND, whose prompts are added up at every step as differences from the "
            "negative prompt; remove one"
        )
        yield _Violation("guidance_interval", detail, ("prompt",))


def _duplicates(request: JobRequest) -> Iterator[_Violation]:
    for field, names in (
        ("loras", [each.name for each in request.loras]),
        ("embeddings", request.embeddings),
    ):
        if len(set(names)) < len(names):
            yield _Violation(field, "contains a name more than once; remove the duplicate")


def _size_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    least, most = model.limits.min_size, model.limits.max_size
    for name, pixels in (("width", request.width), ("height", request.height)):
        if pixels is not None and not least <= pixels <= most:
            yield _Violation(name, f"must be between {least} and {most} pixels, not {pixels}")


def _step_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    steps = request.steps or model.defaults.steps
    hires, most = request.hires, model.limits.max_steps
    for path, given in (("steps", request.steps), ("hires/steps", hires.steps if hires else None)):
        if given is not None and given > most:
            yield _Violation(path, f"must be at most {most}, not {given}")
    yield from _steps_without_effect("strength", steps, effective_strength(request, model.defaults))
    if hires is not None:
        yield from _steps_without_effect("hires/strength", hires.steps or steps, hires.strength)


def _steps_without_effect(path: str, steps: int, strength: float | None) -> Iterator[_Violation]:
    if strength is not None and int(steps * strength) < 1:
        detail = f"{steps} steps at strength {strength:g} leave no step to run; raise strength or steps"
        yield _Violation(path, detail, ("steps", "input_image", "outpaint"))


def _scheduler_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    try:
        sampler = select_sampler(request.sampler, request.scheduler, default=model.defaults.sampler)
    except ValueError as error:
        yield _Violation("scheduler", str(error), ("sampler",))
        return
    if request.timestep_spacing is not None and not sampler.takes_timestep_spacing:
        detail = f"has no effect on the sampler {sampler.name}, which has timesteps of its own; remove it"
        yield _Violation("timestep_spacing", detail, ("sampler", "scheduler"))


def _count_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    count = request.count or model.defaults.count
    if count > model.limits.max_count:
        yield _Violation("count", f"must be at most {model.limits.max_count}, not {count}")
    if request.seed is not None and request.seed + count - 1 > MAX_SEED:
        last = request.seed + count - 1
        yield _Violation("seed", f"seed + count - 1 must be at most {MAX_SEED}, not {last}", ("count",))


def _output_size_violations(request: JobRequest, model: ModelDeclaration) -> Iterator[_Violation]:
    """Checks the sizes after hires and upscale, unless they depend on an input image."""
    defaults = model.defaults
    is_text_to_image = request.input_image is None
    width = request.width or (defaults.width if is_text_to_image else 0)
    height = request.height or (defaults.height if is_text_to_image else 0)
    size, depends_on = max(width, height), ("width", "height", "input_image", "hires")
    for name, scale in (
        ("hires", request.hires and request.hires.scale),
        ("upscale", request.upscale and request.upscale.scale),
    ):
        size = int(size * (scale or 1))
        if scale is not None and size > model.limits.max_output_size:
            detail = f"would result in a side of {size} pixels; the limit is {model.limits.max_output_size}"
            yield _Violation(f"{name}/scale", detail, depends_on)
