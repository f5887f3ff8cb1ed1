"""The checks of a request's prompts."""

from collections import Counter
from collections.abc import Iterator

from contract.model import ModelDeclaration
from contract.prompts.editing import second_pass_text
from contract.prompts.errors import PromptError
from contract.prompts.prompt import ParsedPrompt, hires_prompt, parse_negative, parse_positive
from contract.request import MAX_ADAPTERS, JobRequest
from contract.samplers import find_sampler


def prompt_errors(request: JobRequest, model: ModelDeclaration) -> Iterator[tuple[str, str]]:
    """The fields whose prompts cannot be used, each with the reason and the remedy."""
    for field, parse, changed in (
        ("prompt", parse_positive, hires_prompt),
        ("negative_prompt", parse_negative, second_pass_text),
    ):
        try:
            parsed = parse(getattr(request, field))
            _check_loras(parsed, request)
            steps, hires_steps = _steps(request, model)
            parsed.check(steps)
            if hires_steps:
                text = changed(getattr(request, field), first_pass=steps, second_pass=hires_steps)
                parse(text).check(hires_steps)
        except PromptError as error:
            yield field, str(error)


def _check_loras(prompt: ParsedPrompt, request: JobRequest) -> None:
    if not prompt.loras:
        return
    names = Counter(lora.name for lora in prompt.loras)
    repeated = next((name for name, count in names.items() if count > 1), None)
    if repeated is not None:
        raise PromptError(f"contains the LoRA {repeated!r} more than once; remove the duplicate")
    both = next((lora.name for lora in request.loras if lora.name in names), None)
    if both is not None:
        raise PromptError(f"contains the LoRA {both!r}, which loras contains too; remove one of them")
    count = len(prompt.loras) + len(request.loras)
    if count > MAX_ADAPTERS:
        raise PromptError(
            f"contains {len(prompt.loras)} LoRAs, with those of loras {count}; the limit is {MAX_ADAPTERS}"
        )


def _steps(request: JobRequest, model: ModelDeclaration) -> tuple[int, int]:
    """The steps of the first pass, and those of the hires pass that are run; 0 without one."""
    per_step = find_sampler(request.sampler or model.defaults.sampler).evaluations_per_step
    steps, hires = request.steps or model.defaults.steps, request.hires
    hires_steps = int((hires.steps or steps) * hires.strength) if hires else 0
    return per_step * steps, per_step * hires_steps
