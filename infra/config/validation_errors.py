"""What is wrong with a configuration, in words: which setting, and what is allowed there."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

Loc = tuple[int | str, ...]


def sentences(
    model: type[BaseModel], error: ValidationError, *, root: str, hidden: Collection[str] = ()
) -> Iterator[str]:
    """One sentence a fault.

    Args:
        model: what was validated.
        error: what pydantic found.
        root: where in the file the model's settings begin.
        hidden: fields that are not set in the file.
    """
    for fault in error.errors():
        path, parent = _follow(model, fault["loc"])
        place = ".".join((root, *path))
        keys = ", ".join(name for name in (parent.model_fields if parent else ()) if name not in hidden)
        match fault["type"]:
            case "extra_forbidden":
                yield f"{place} is not a setting; allowed here: {keys}"
            case "missing":
                yield f"{place} is missing"
            case "value_error":
                yield f"{place}: {fault['ctx']['error']}"
            case _:
                yield f"{place}: {fault['msg']}; it is {fault['input']!r}{_meaning(parent, path)}"


def _meaning(parent: type[BaseModel] | None, path: tuple[str, ...]) -> str:
    """What the nearest named setting is for."""
    if parent is None:
        return ""
    names = [part for part in path if part in parent.model_fields]
    field = parent.model_fields[names[-1]] if names else None
    return f". {field.description}" if field is not None and field.description else ""


def _follow(model: type[BaseModel], loc: Loc) -> tuple[tuple[str, ...], type[BaseModel] | None]:
    """The path as it is written in the file, and the model that holds its last key.

    pydantic puts the name of the chosen alternative into the path; the file does not have it.
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
    """The model of a union that has `part` as its discriminator's value."""
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
