"""The emphasis of AUTOMATIC1111's web UI, read from a prompt.

`(word)` weighs 1.1, `(word:1.3)` 1.3, `[word]` 1 / 1.1; within each other they multiply. A backslash takes
its meaning from the bracket or backslash behind it, and a stray one counts for nothing. A bracket that
nothing opens is text, one that nothing closes reaches to the end. BREAK, as a word of its own, begins another
section.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

ROUND = 1.1
SQUARE = 1 / 1.1

_MARKS = re.compile(
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
class Fragment:
    """A part of a prompt.

    Attributes:
        text: what is written, without marks.
        weight: of all its tokens; 1 neither stresses nor plays down.
    """

    text: str
    weight: float = 1.0


Section = tuple[Fragment, ...]
"""What lies between two BREAKs; neighbours differ in weight."""


def read(prompt: str) -> tuple[Section, ...]:
    """The sections of a prompt, at least one, each of at least one fragment."""
    reading = _Reading()
    for mark in _MARKS.finditer(prompt):
        reading.take(mark)
    return tuple(_merged(section) for section in reading.sections())


class _Reading:
    """What has been read so far, every piece of it with the weight of the brackets closed around it."""

    def __init__(self) -> None:
        self._texts: list[str | None] = []  # None for BREAK
        self._weights: list[float] = []
        self._opened: dict[str, list[int]] = {"(": [], "[": []}

    def take(self, mark: re.Match[str]) -> None:
        escaped, weight, bracket, text = mark.group("escaped", "weight", "bracket", "text")
        if escaped is not None:
            self._add(escaped)
        elif bracket in self._opened:
            self._opened[bracket].append(len(self._texts))
        elif weight is not None and self._opened["("]:
            self._weigh(self._opened["("].pop(), float(weight))
        elif bracket == ")" and self._opened["("]:
            self._weigh(self._opened["("].pop(), ROUND)
        elif bracket == "]" and self._opened["["]:
            self._weigh(self._opened["["].pop(), SQUARE)
        else:
            self._write(text or mark.group())

    def sections(self) -> Iterator[list[Fragment]]:
        for bracket, weight in (("(", ROUND), ("[", SQUARE)):
            for start in self._opened[bracket]:
                self._weigh(start, weight)
        section: list[Fragment] = []
        for text, weight in zip(self._texts, self._weights, strict=True):
            if text is None:
                yield section
                section = []
            else:
                section.append(Fragment(text, weight))
        yield section

    def _write(self, text: str) -> None:
        first, *others = _BREAK.split(text)
        self._add(first)
        for other in others:
            self._add(None)
            self._add(other)

    def _add(self, text: str | None) -> None:
        self._texts.append(text)
        self._weights.append(1.0)

    def _weigh(self, start: int, weight: float) -> None:
        for index in range(start, len(self._weights)):
            self._weights[index] *= weight


def _merged(section: list[Fragment]) -> Section:
    runs = groupby((fragment for fragment in section if fragment.text), key=lambda each: each.weight)
    merged = tuple(Fragment("".join(each.text for each in run), weight) for weight, run in runs)
    return merged or (Fragment(""),)
