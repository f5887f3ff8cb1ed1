"""Requests in a few words: what those of a row have in common, and what each has of its own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_HEAD, _TAIL = 24, 36
"""Characters that are left of a long text."""


def shared(requests: Sequence[Mapping[str, Any]]) -> str:
    """The fields that are the same in all requests, a line each."""
    return "\n".join(_line(name, value) for name, value in _shared(requests).items())


def own(request: Mapping[str, Any], requests: Sequence[Mapping[str, Any]]) -> str:
    """The fields that the request does not share with the others, a line each."""
    common = _shared(requests)
    return "\n".join(_line(name, value) for name, value in request.items() if name not in common)


def _shared(requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = requests
    return {
        name: value
        for name, value in first.items()
        if all(name in other and other[name] == value for other in others)
    }


def _line(name: str, value: Any) -> str:
    return f"{name}: {_elided(_words(value))}"


def _words(value: Any) -> str:
    """The value without the quotes and braces that JSON would write, and without the bytes of pictures."""
    match value:
        case str():
            return "data:…" if value.startswith("data:") else value
        case dict():
            return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
        case None | []:
            return "none"
        case list():
            return "; ".join(map(_words, value))
    return json.dumps(value)


def _elided(text: str) -> str:
    if len(text) <= _HEAD + _TAIL:
        return text
    return f"{text[:_HEAD].rpartition(' ')[0]} … {text[-_TAIL:].partition(' ')[2]}"
