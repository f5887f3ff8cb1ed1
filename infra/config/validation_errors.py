"""Readable messages for pydantic's validation errors: the setting, the error and the allowed values."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc = tuple[int | str, ...]

_REASONS = {
    "tuple_type": "must be a list",
    "too_short": "must have at least {min_length} item",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
"""The reasons for pydantic's types of errors, in the terms of cdk.json instead of Python's."""


def describe_errors(
    model: type[BaseModel], error: ValidationError, *, root: str, hidden: Collection[str] = ()
) -> Iterator[str]:
    """One message per error.

    Args:
        model: the validated class.
        error: pydantic's error.
        root: the path of the model's settings in the file.
        hidden: names of fields that are not settings of the file.
    """
    for detail in error.errors():
        if _is_consequence(detail):
            continue
        path, parent = _follow(model, detail["loc"])
        location = ".".join((root, *path))
        keys = ", ".join(name for name in (parent.model_fields if parent else ()) if name not in hidden)
        match detail["type"]:
            case "extra_forbidden":
                yield f"{location} is not a setting; the settings here are: {keys}"
            case "missing":
                yield f"{location} is missing"
            case "value_error":
                yield f"{location}: {detail['ctx']['error']}"
            case "union_tag_not_found":
                yield f"{location}.{_tag(detail)} is missing"
            case "union_tag_invalid":
                tags = detail["ctx"]
                yield f"{location}.{_tag(detail)}: {tags['tag']!r} is not one of {tags['expected_tags']}"
            case kind:
                reason = _REASONS.get(kind, "{msg}").format(msg=detail["msg"], **detail.get("ctx", {}))
                yield f"{location}: {reason}; got {detail['input']!r}{_description(parent, path)}"


def _is_consequence(detail: ErrorDetails) -> bool:
    """Whether an error follows from another one.

    pydantic counts only the valid items of a list, and computes no default from invalid settings.
    """
    if detail["type"] == "default_factory_not_called":
        return True
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _tag(detail: ErrorDetails) -> str:
    """The field whose value selects the alternative."""
    return str(detail["ctx"]["discriminator"]).strip("'")


def _description(parent: type[BaseModel] | None, path: tuple[str, ...]) -> str:
    """The description of the innermost named setting of the path."""
    if parent is None:
        return ""
    names = [part for part in path if part in parent.model_fields]
    field = parent.model_fields[names[-1]] if names else None
    return f". {' '.join(field.description.split())}" if field is not None and field.description else ""


def _follow(model: type[BaseModel], loc: Loc) -> tuple[tuple[str, ...], type[BaseModel] | None]:
    """The path in the file, and the model class that contains its last key.

    pydantic's paths also contain the discriminator values of unions, which the file's paths do not.
    """
    path: list[str] = []
    parent: type[BaseModel] | None = None
    current: Any = model
    for part in loc:
        alternative = _alternative(current, part)
        if alternative is not None:
            current = alternative
            continue
        path.append(str(part))
        if isinstance(part, str) and _is_model(current):
            parent = current
            current = _plain(current.model_fields[part].annotation) if part in current.model_fields else None
        elif isinstance(part, int):
            current = _plain(next(iter(get_args(current)), None))
    return tuple(path), parent


def _alternative(annotation: Any, part: int | str) -> type[BaseModel] | None:
    """The member of a union whose discriminator value is `part`; None if there is none."""
    if _is_model(annotation) or not isinstance(part, str):
        return None
    for option in get_args(annotation):
        if _is_model(option) and any(
            part in get_args(field.annotation) for field in option.model_fields.values()
        ):
            chosen: type[BaseModel] = option
            return chosen
    return None


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
