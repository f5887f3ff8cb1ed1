"""Unions that are told apart by the field `type`, one kind of which needs no `type`."""

from typing import Any

from pydantic import BeforeValidator


def default_type(name: str) -> BeforeValidator:
    """A validator for a union with the discriminator `type`: objects without `type` are of this kind."""

    def add(value: Any) -> Any:
        return {"type": name, **value} if isinstance(value, dict) else value

    return BeforeValidator(add)
