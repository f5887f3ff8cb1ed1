"""Pydantic's findings in our words: the field, what is wrong, what is allowed."""

from collections.abc import Iterable, Mapping
from typing import Any

from inference.contract.problem import FieldError
from inference.contract.request import JobRequest

_OWN_WORDS = {
    "missing": "is required",
    "extra_forbidden": f"is not a known field; known are {', '.join(JobRequest.model_fields)}",
}


def field_errors(findings: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """Pydantic's `errors()` as field errors; a leading `body` is not part of the path."""
    return tuple(_field_error(finding) for finding in findings)


def _field_error(finding: Mapping[str, Any]) -> FieldError:
    path = [str(part) for part in finding["loc"]]
    if path[:1] == ["body"]:
        path = path[1:]
    message = str(finding["msg"]).removeprefix("Value error, ").replace("Input should ", "must ")
    return FieldError(
        pointer="#" + "".join(f"/{_escape(part)}" for part in path),
        detail=_OWN_WORDS.get(str(finding["type"]), message),
    )


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
