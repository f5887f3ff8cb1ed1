"""Items of DynamoDB as plain mappings.

boto3's serializer is not used, since importing boto3 takes longer than everything else of a function's start.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Value = str | int | float | bool | tuple[str, ...]
"""The values that the tables contain."""


def to_attribute(value: Value) -> "AttributeValueTypeDef":
    """DynamoDB's form of a value."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": value}
        case _:
            return {"L": [{"S": each} for each in value]}


def to_item(values: Mapping[str, Value]) -> "dict[str, AttributeValueTypeDef]":
    """DynamoDB's form of a mapping."""
    return {name: to_attribute(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an item; numbers are int or float."""
    return {name: _from_attribute(attribute) for name, attribute in item.items()}


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    (kind, value), *_ = attribute.items()
    match kind:
        case "N":
            return float(value) if any(character in value for character in ".eE") else int(value)
        case "L":
            return tuple(_from_attribute(each) for each in value)
        case _:
            return value


def size_of(values: Mapping[str, Value]) -> int:
    """The size of an item in bytes, about as DynamoDB counts it."""
    return sum(len(text.encode()) for text in _texts(values))


def _texts(values: Mapping[str, Value]) -> Iterable[str]:
    for name, value in values.items():
        yield name
        if isinstance(value, tuple):
            yield from value
        else:
            yield str(value)
