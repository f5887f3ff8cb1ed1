"""Errors under the names of a client's fields."""

import pytest

from contract.document import MalformedRequestError
from contract.generation import InvalidRequestError
from contract.problem import MAX_FIELD_ERRORS, FieldError
from jobs.compatibility.field_names import fields_named
from jobs.errors import JobNotFoundError

NAMES = {"count": "n", "loras": "lora", "loras/0/name": "lora_name"}


def raised(*pointers: str, omitted: int = 0) -> InvalidRequestError:
    errors = tuple(FieldError(pointer=pointer, detail="is wrong") for pointer in pointers)
    with pytest.raises(InvalidRequestError) as caught, fields_named(NAMES, within="#/input"):
        raise InvalidRequestError(errors, omitted=omitted)
    return caught.value


def test_fields_have_the_names_of_the_client() -> None:
    error = raised("#/count", "#/loras/0/name", "#/loras/0/count", "#/width")
    assert [each.pointer for each in error.errors] == [
        "#/input/n",
        "#/input/lora_name",
        "#/input/lora/0/count",
        "#/input/width",
    ]
    assert error.detail.startswith("input/n: is wrong; input/lora_name: is wrong; ")


def test_the_number_of_omitted_errors_remains() -> None:
    error = raised(*["#/count"] * MAX_FIELD_ERRORS, omitted=1)
    assert error.errors[-1] == FieldError(pointer="#", detail="and 1 more")


def test_errors_without_a_field_remain_as_they_are() -> None:
    with pytest.raises(MalformedRequestError, match="is empty") as malformed, fields_named({}):
        raise MalformedRequestError("is empty")
    assert malformed.value.detail.startswith("The body is empty.")
    with pytest.raises(JobNotFoundError) as missing, fields_named({}):
        raise JobNotFoundError("x")
    assert missing.value.errors == ()
