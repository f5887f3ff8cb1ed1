"""Parser of emphasis in prompts, as in AUTOMATIC1111's web UI.

`(text)` multiplies the weight of a text by 1.1, `(text:1.3)` by 1.3, and `[text]` by 1 / 1.1; nested weights
multiply. A backslash before a bracket or a backslash makes that literal, and any other backslash is dropped.
A closing bracket without an opening one is literal; an opening bracket without a closing one extends to the
end of the prompt. The word BREAK begins a new segment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from contract.prompts.errors import MAX_NESTING, PromptError, check_weight

ROUND_BRACKET_WEIGHT = 1.1
SQUARE_BRACKET_WEIGHT = 1 / 1.1

_SYNTAX = re.compile(
    r"""
    \\(?P<escaped>[()\[\]\\]?)
    | :\s*(?P<weight>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*\)
    | (?P<bracket>[()\[\]])
    | (?P<text>[^\\()\[\]:]+ | :)
    """,
    re.VERBOSE,
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


@dataclass(frozen=True)
class WeightedText:
    """A part of a prompt with one weight.

    Attributes:
        text: without the syntax.
        weight: of all its tokens; 1 is neutral.
    """

    text: str
    weight: float = 1.0


PromptSegment = tuple[WeightedText, ...]
"""The texts between two BREAKs; adjacent ones differ in weight."""


def parse_prompt(prompt: str) -> tuple[PromptSegment, ...]:
    """The segments of a prompt, at least one, each of at least one text.

    Raises:
        PromptError: a weight is out of bounds, or brackets are nested too deeply.
    """
    parser = _Parser()
    for match in _SYNTAX.finditer(prompt):
        parser.feed(match)
    return tuple(_merge(segment) for segment in parser.segments())


class _Parser:
    """Collects texts and their weights; a weight is applied when its bracket closes."""

    def __init__(self) -> None:
        self._texts: list[str | None] = []  # None for BREAK
        self._weights: list[float] = []
        self._open_brackets: dict[str, list[int]] = {"(": [], "[": []}

    def feed(self, match: re.Match[str]) -> None:
        escaped, weight, bracket, text = match.group("escaped", "weight", "bracket", "text")
        if escaped is not None:
            self._add(escaped)
        elif bracket in self._open_brackets:
            self._open(bracket)
        elif weight is not None and self._open_brackets["("]:
            self._multiply(self._open_brackets["("].pop(), float(weight))
        elif bracket == ")" and self._open_brackets["("]:
            self._multiply(self._open_brackets["("].pop(), ROUND_BRACKET_WEIGHT)
        elif bracket == "]" and self._open_brackets["["]:
            self._multiply(self._open_brackets["["].pop(), SQUARE_BRACKET_WEIGHT)
        else:
            self._add_text(text or match.group())

    def segments(self) -> Iterator[list[WeightedText]]:
        for bracket, weight in (("(", ROUND_BRACKET_WEIGHT), ("[", SQUARE_BRACKET_WEIGHT)):
            for start in self._open_brackets[bracket]:
                self._multiply(start, weight)
        segment: list[WeightedText] = []
        for text, weight in zip(self._texts, self._weights, strict=True):
            if text is None:
                yield segment
                segment = []
            else:
                check_weight(weight, text)
                segment.append(WeightedText(text, weight))
        yield segment

    def _open(self, bracket: str) -> None:
        if sum(map(len, self._open_brackets.values())) == MAX_NESTING:
            raise PromptError(f"has brackets nested more than {MAX_NESTING} levels deep; remove some")
        self._open_brackets[bracket].append(len(self._texts))

    def _add_text(self, text: str) -> None:
        first, *others = _BREAK.split(text)
        self._add(first)
        for other in others:
            self._add(None)
            self._add(other)

    def _add(self, text: str | None) -> None:
        self._texts.append(text)
        self._weights.append(1.0)

    def _multiply(self, start: int, weight: float) -> None:
        for index in range(start, len(self._weights)):
            self._weights[index] *= weight


def _merge(segment: list[WeightedText]) -> PromptSegment:
    """Drops empty texts and joins adjacent ones of the same weight."""
    by_weight = groupby((each for each in segment if each.text), key=lambda each: each.weight)
    merged = tuple(WeightedText("".join(each.text for each in texts), weight) for weight, texts in by_weight)
    return merged or (WeightedText(""),)
