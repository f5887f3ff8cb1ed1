"""The error of a prompt that cannot be used, and the numbers of its syntax."""

import re

MAX_WEIGHT = 100.0
"""Of a text with emphasis, all its brackets together, and of a prompt joined by AND; positive or negative."""
MAX_NESTING = 64
"""Brackets inside each other."""
MAX_NUMBER = 1e6
MAX_ECHOED = 60

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class PromptError(ValueError):
    """A prompt cannot be used; the message has the reason and the remedy, without the field's name."""


def check_weight(weight: float, text: str) -> None:
    """Raises PromptError if a weight is out of bounds; the text is the one that it applies to."""
    if not abs(weight) <= MAX_WEIGHT:  # not a number compares as false
        raise PromptError(
            f"gives {echo(text)} the weight {weight:.6g}; weights must be between {-MAX_WEIGHT:g} and "
            f"{MAX_WEIGHT:g}: lower it or remove brackets"
        )


def number(text: str) -> float | None:
    """The number that a text consists of, spaces around it excepted; None for any other text.

    Raises:
        PromptError: the number is beyond `MAX_NUMBER`.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    value = float(stripped)
    if abs(value) > MAX_NUMBER:
        raise PromptError(f"contains the number {echo(stripped)}, which is too large; lower it")
    return value


def echo(text: str) -> str:
    """A part of the prompt as quoted in an error, cut off if it is long."""
    return repr(text if len(text) <= MAX_ECHOED else text[:MAX_ECHOED] + "…")
