"""Pydantic's findings in our words: the field, what is wrong, what is allowed."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from contract.options import ControlNet, Hires, Lora, Outpaint, Upscale
from contract.problem import FieldError
from contract.request import JobRequest

_PARTS: dict[str, type[BaseModel]] = {
    "controlnets": ControlNet,
    "hires": Hires,
    "loras": Lora,
    "outpaint": Outpaint,
    "upscale": Upscale,
}
"""The fields of a request that have fields of their own."""


def field_errors(findings: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """Pydantic's `errors()` as field errors; a leading `body` is not part of the path."""
    return tuple(_field_error(finding) for finding in findings)


def _field_error(finding: Mapping[str, Any]) -> FieldError:
    path = [str(part) for part in finding["loc"]]
    if path[:1] == ["body"]:
        path = path[1:]
    match finding["type"]:
        case "missing":
            detail = "is required"
        case "extra_forbidden":
            known = _PARTS[path[0]] if len(path) > 1 else JobRequest
            detail = f"is not a known field; known are {', '.join(known.model_fields)}"
        case _:
            detail = str(finding["msg"]).removeprefix("Value error, ").replace("Input should ", "must ")
    return FieldError(
        pointer="#" + "".join(f"/{_escape(part)}" for part in path),
        detail=detail,
    )


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
