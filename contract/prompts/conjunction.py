"""Prompts joined by AND, each with a weight, as in AUTOMATIC1111's web UI: `a cat :1.2 AND a dog`."""

import re
from dataclasses import dataclass

from contract.prompts.errors import PromptError, check_weight

MAX_PROMPTS = 8
"""Prompts that AND joins; each takes a sample of its own in every forward pass."""

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"[-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)")


@dataclass(frozen=True)
class WeightedPrompt:
    """One of the prompts that AND joins.

    Attributes:
        text: without the weight.
        weight: of its part of classifier-free guidance.
    """

    text: str
    weight: float = 1.0


def parts_of(prompt: str) -> list[str]:
    """The parts of a prompt between its ANDs, with their weights."""
    return _AND.split(prompt)


def split_conjunction(prompt: str) -> tuple[WeightedPrompt, ...]:
    """The prompts; one with weight 1 if there is no AND.

    Raises:
        PromptError: there are too many, or a weight is out of bounds.
    """
    texts = parts_of(prompt)
    if len(texts) == 1:
        return (WeightedPrompt(prompt),)
    if len(texts) > MAX_PROMPTS:
        raise PromptError(
            f"joins {len(texts)} prompts by AND, at most {MAX_PROMPTS} are allowed; remove some"
        )
    return tuple(map(_weighted, texts))


def _weighted(text: str) -> WeightedPrompt:
    before, colon, last = text.rpartition(":")
    if not colon or not _WEIGHT.fullmatch(last.strip()):
        return WeightedPrompt(text.rstrip())
    weight = float(last)
    check_weight(weight, before.strip())
    return WeightedPrompt(before.rstrip(), weight)
