from typing import Any

import pytest
from botocore.session import get_session
from pydantic import TypeAdapter, ValidationError

from infra.config.environment import Tags

TAGS: TypeAdapter[Any] = TypeAdapter(Tags)

SHAPES = {
    "cloudformation": ("TagKey", "TagValue"),
    "cloudwatch": ("TagKey", "TagValue"),
    "codebuild": ("KeyInput", "ValueInput"),
    "events": ("TagKey", "TagValue"),
    "iam": ("tagKeyType", "tagValueType"),
    "kms": ("TagKeyType", "TagValueType"),
    "lambda": ("TagKey", "TagValue"),
    "logs": ("TagKey", "TagValue"),
    "sagemaker": ("TagKey", "TagValue"),
    "secretsmanager": ("TagKeyType", "TagValueType"),
    "sns": ("TagKey", "TagValue"),
    "ssm": ("TagKey", "TagValue"),
    "wafv2": ("TagKey", "TagValue"),
}
"""botocore's shapes of tags by service."""


def limits(position: int, limit: str) -> set[int]:
    """The limits of botocore's shapes."""
    session = get_session()
    found = set()
    for service, names in SHAPES.items():
        shape = session.get_service_model(service).shape_for(names[position])
        found.add(shape.metadata.get(limit, 256 if limit == "max" else 0))
    return found


def valid(tags: dict[str, str]) -> bool:
    try:
        TAGS.validate_python(tags)
    except ValidationError:
        return False
    return True


def test_the_longest_tags_are_those_that_every_service_accepts() -> None:
    key, value = min(limits(0, "max")), min(limits(1, "max"))
    assert valid({"k" * key: "v" * value})
    assert not valid({"k" * (key + 1): "v"})
    assert not valid({"k": "v" * (value + 1)})


def test_the_shortest_tags_are_those_that_every_service_accepts() -> None:
    assert max(limits(0, "min")) == max(limits(1, "min")) == 1
    assert valid({"k": "v"})
    assert not valid({"": "v"})
    assert not valid({"k": ""})


@pytest.mark.parametrize("text", ["a b", "Käse/1:2=3+4-5@6", "東京.x_y"])
def test_letters_digits_spaces_and_some_signs_are_allowed(text: str) -> None:
    assert valid({text: text})


@pytest.mark.parametrize("text", ["a*b", "a,b", "a\nb", "(a)"])
def test_other_signs_are_rejected(text: str) -> None:
    assert not valid({text: "v"})
    assert not valid({"k": text})


def test_the_cdks_own_tags_fit_beside_those_of_the_stage() -> None:
    assert valid({f"k{number}": "v" for number in range(40)})
    assert not valid({f"k{number}": "v" for number in range(41)})
