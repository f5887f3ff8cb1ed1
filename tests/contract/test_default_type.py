from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contract.default_type import default_type
from contract.model import ServedModel


class Plain(BaseModel):
    type: Literal["plain"] = "plain"
    size: int = 1


class Other(BaseModel):
    type: Literal["other"]


KIND: TypeAdapter[Plain | Other] = TypeAdapter(
    Annotated[Plain | Other, Field(discriminator="type"), default_type("plain")]
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({}, Plain()), ({"size": 2}, Plain(size=2)), ({"type": "other"}, Other(type="other"))],
)
def test_an_object_without_type_is_of_the_default_kind(value: Any, expected: BaseModel) -> None:
    assert KIND.validate_python(value) == expected
    assert KIND.validate_python(expected) == expected


@pytest.mark.parametrize("value", [{"type": "unknown"}, 5])
def test_another_value_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        KIND.validate_python(value)


def test_a_models_source_in_s3_needs_no_type() -> None:
    model = ServedModel.model_validate({"name": "sd15", "source": {"uri": "s3://bucket/prefix/"}})
    assert model.source.type == "s3"
