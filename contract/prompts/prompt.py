"""The prompts of a request: their LoRAs, and their texts at each denoiser evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from contract.options import Lora
from contract.prompts.conjunction import parts_of, split_conjunction
from contract.prompts.editing import EditedPrompt, second_pass_text
from contract.prompts.emphasis import parse_prompt
from contract.prompts.errors import PromptError
from contract.prompts.lora_tags import split_tags

MAX_TEXTS = 64
"""Different texts of one prompt over the steps; each is encoded."""


@dataclass(frozen=True)
class PromptTexts:
    """The texts of one denoiser evaluation, without LoRAs, AND and editing, but with emphasis.

    Attributes:
        negative: the negative prompt.
        prompts: those that AND joins; a single one without it.
    """

    negative: str
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class PromptStage:
    """Consecutive denoiser evaluations with the same texts.

    Attributes:
        start: the first of them.
        texts: of all of them.
    """

    start: int
    texts: PromptTexts


@dataclass(frozen=True, eq=False)
class ParsedPrompt:
    """A prompt or a negative prompt.

    Attributes:
        loras: of its tags.
        prompts: those that AND joins.
        weights: theirs.
    """

    loras: tuple[Lora, ...]
    prompts: tuple[EditedPrompt, ...]
    weights: tuple[float, ...]

    @property
    def syntax(self) -> str | None:
        """The name of what it contains beside text and emphasis; None if that is all."""
        if self.loras:
            return "<lora:...>"
        if len(self.prompts) > 1:
            return "AND"
        return "prompt editing" if self.prompts[0].is_edited else None

    def check(self, steps: int) -> None:
        """Raises PromptError if there are too many texts over a pass, or weights are too large.

        Args:
            steps: of the pass.
        """
        for edited in self.prompts:
            for text in _distinct(edited.texts(steps if edited.is_edited else 1)):
                parse_prompt(text)


@lru_cache(maxsize=64)
def parse_positive(prompt: str) -> ParsedPrompt:
    """Parses a prompt.

    Raises:
        PromptError: the prompt cannot be used.
    """
    tagged = split_tags(prompt)
    parts = split_conjunction(tagged.text)
    edited = tuple(EditedPrompt(part.text) for part in parts)
    return ParsedPrompt(tagged.loras, edited, tuple(part.weight for part in parts))


@lru_cache(maxsize=64)
def parse_negative(prompt: str) -> ParsedPrompt:
    """Parses a negative prompt, in which AND is a word like any other, as in the web UI.

    Raises:
        PromptError: the prompt cannot be used.
    """
    if split_tags(prompt).tags:
        raise PromptError("contains a LoRA, which only the prompt may contain; move it there or remove it")
    return ParsedPrompt((), (EditedPrompt(prompt),), (1.0,))


def prompt_stages(prompt: str, negative_prompt: str, *, steps: int) -> tuple[PromptStage, ...]:
    """The texts of all evaluations: at least one stage, the first of which starts at 0.

    Args:
        prompt: valid.
        negative_prompt: valid.
        steps: see `EditedPrompt.texts`.
    """
    positive, negative = parse_positive(prompt), parse_negative(negative_prompt)
    if not any(each.is_edited for each in (*positive.prompts, *negative.prompts)):
        steps = 1
    stages: list[PromptStage] = []
    columns = [each.texts(steps) for each in (*negative.prompts, *positive.prompts)]
    for evaluation, (negative_text, *texts) in enumerate(zip(*columns, strict=True)):
        current = PromptTexts(negative_text, tuple(texts))
        if not stages or stages[-1].texts != current:
            stages.append(PromptStage(evaluation, current))
    return tuple(stages)


def hires_prompt(prompt: str, *, first_pass: int, second_pass: int) -> str:
    """The prompt of the hires pass; see `second_pass_text`, which is for negative prompts. LoRAs stay."""
    tagged = split_tags(prompt)
    parts = (
        second_pass_text(part, first_pass=first_pass, second_pass=second_pass)
        for part in parts_of(tagged.text)
    )
    return "".join(["AND".join(parts), *tagged.tags])


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    known: set[str] = set()
    for text in texts:
        if text in known:
            continue
        known.add(text)
        if len(known) > MAX_TEXTS:
            raise PromptError(
                f"takes more than {MAX_TEXTS} different texts over the steps; use fewer alternatives or steps"
            )
        yield text
