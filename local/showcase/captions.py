"""Captions of requests: the fields that the requests of a row have in common, and those that differ."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_HEAD, _TAIL = 24, 36
"""The number of characters that remain at both ends of a shortened text."""


def common_fields(requests: Sequence[Mapping[str, Any]]) -> str:
    """The fields with the same value in all requests, one per line."""
    return "\n".join(_line(name, value) for name, value in _common(requests).items())


def differing_fields(request: Mapping[str, Any], requests: Sequence[Mapping[str, Any]]) -> str:
    """The request's other fields, one per line."""
    common = _common(requests)
    return "\n".join(_line(name, value) for name, value in request.items() if name not in common)


def _common(requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = requests
    return {
        name: value
        for name, value in first.items()
        if all(name in other and other[name] == value for other in others)
    }


def _line(name: str, value: Any) -> str:
    return f"{name}: {_shortened(_format(value))}"


def _format(value: Any) -> str:
    """The value without JSON's quotes and braces, and without the content of data URLs."""
    match value:
        case str():
            return "data:…" if value.startswith("data:") else value
        case dict():
            return ", ".join(f"{name} {_format(each)}" for name, each in value.items())
        case None | []:
            return "none"
        case list():
            return "; ".join(map(_format, value))
    return json.dumps(value)


def _shortened(text: str) -> str:
    if len(text) <= _HEAD + _TAIL:
        return text
    return f"{text[:_HEAD].rpartition(' ')[0]} … {text[-_TAIL:].partition(' ')[2]}"
