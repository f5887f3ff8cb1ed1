"""JSON documents that are refused before any field is validated."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import MAX_DEPTH, MAX_VALUES, MalformedRequestError, parse_document
from contract.problem import ErrorCode, FieldError
from contract.request import MAX_ADAPTERS, MAX_CONTROLNETS, JobRequest
from contract.validation import parse_request
from tests.contract.parsing import find_model

MEGABYTES = 2_900_000
"""Repetitions of two characters that make almost 6 MB."""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "is not valid JSON"),
        ("nonsense", "is not valid JSON"),
        ('{"prompt": "x"', "is not valid JSON"),
        ('{"prompt": "a\nb"}', "is not valid JSON"),
        ('\ufeff{"prompt": "x"}', "is not valid JSON"),
        ('{"prompt": NaN}', "NaN is not a number in JSON"),
        ('{"prompt": [-Infinity]}', "-Infinity is not a number in JSON"),
        ('"x"', "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        (b'{"prompt": "\xff"}', "not encoded in UTF-8"),
        ('{"prompt": "\ufffd"}', "not encoded in UTF-8, or contains U+FFFD"),
        ('{"prompt": "\\ud800"}', "not valid Unicode"),
        ('{"\\uDFFF": 1}', "not valid Unicode"),
        ('{"prompt": ["\udc80"]}', "not valid Unicode"),
        ('{"prompt": "x", "seed": 1, "prompt": "y"}', "contains the name 'prompt' twice"),
        ('{"loras": [{"n": 1, "n": 1}]}', "contains the name 'n' twice"),
        (f'{{"{"n" * 500}": 1, "{"n" * 500}": 2}}', f"contains the name '{'n' * 100}' twice"),
        ('{"seed": ' + "9" * 4301 + "}", "too many digits"),
        ("[" * 100_000, "nested more than 8 levels"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested more than 8 levels"),
        ("[" + "[]," * MEGABYTES, "more than 1000 values"),
        ('{"loras": [' + "{}," * MEGABYTES, "more than 1000 values"),
        ('{"loras": [' + "0," * MEGABYTES, "more than 1000 values"),
        ("]" * MEGABYTES * 2, "more than 1000 values"),
        ('""' * MEGABYTES, "more than 1000 values"),
        ('{"' + '\\"' * MEGABYTES, "is not valid JSON"),
        ("\\" * MEGABYTES * 2, "is not valid JSON"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_malformed_body_is_refused(body: bytes | str, reason: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        parse_document(body)
    error = caught.value
    assert error.code is ErrorCode.MALFORMED_REQUEST
    assert reason in error.errors[0].detail
    assert error.errors == (FieldError(pointer="#", detail=error.errors[0].detail),)
    example = 'Send a JSON object such as {"prompt": "a red circle"}.'
    assert error.detail == f"The body {error.errors[0].detail}. {example}"


def test_the_limits_of_levels_and_values_are_exact() -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    def values(count: int) -> str:
        return json.dumps({"s": ["s"] * (count - 1)})  # with the object itself

    assert parse_document(nested(MAX_DEPTH))
    assert len(parse_document(values(MAX_VALUES))["s"]) == MAX_VALUES - 1
    for body in (nested(MAX_DEPTH + 1), values(MAX_VALUES + 1)):
        with pytest.raises(MalformedRequestError):
            parse_document(body)


def test_brackets_and_commas_in_strings_are_not_counted() -> None:
    document = {"prompt": '\\"[{,]}' * 2000, "image": "data:image/png;base64,"}
    assert parse_document(json.dumps(document)) == document


def test_the_largest_request_is_within_the_limits() -> None:
    lora = {"weight": 1.0}
    controlnet = {
        "type": "canny",
        "image": "s3://b/k",
        "weight": 1,
        "start": 0,
        "end": 1,
        "preprocess": True,
    }
    request: dict[str, Any] = {
        **dict.fromkeys(JobRequest.model_fields),
        "prompt": "x",
        "loras": [{"name": f"n{i}", **lora} for i in range(MAX_ADAPTERS)],
        "embeddings": [f"n{i}" for i in range(MAX_ADAPTERS)],
        "controlnets": [controlnet] * MAX_CONTROLNETS,
        "hires": {"scale": 2.0, "steps": 9, "strength": 0.5, "upscaler": "lanczos"},
        "upscale": {"scale": 2.0, "upscaler": "lanczos"},
    }
    for name in ("negative_prompt", "mask_invert", "mask_alpha", "output_format", "quality", "preview"):
        del request[name]
    assert parse_request(JobRequest, json.dumps(request), find_model).prompt == "x"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5), st.booleans())
def test_an_object_is_parsed_as_by_the_standard_library(document: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only)
    try:
        parsed = parse_document(text.encode())
    except MalformedRequestError as error:
        assert "levels deep" in error.detail  # noqa: PT017 - only deep documents may be refused
    else:
        assert parsed == document
        if "\ufffd" not in text:
            assert parse_document(text) == document


@given(st.text() | st.binary())
def test_any_text_is_parsed_or_refused(body: str | bytes) -> None:
    try:
        document = parse_document(body)
    except MalformedRequestError:
        return
    assert document == json.loads(body)


def test_a_replacement_character_is_accepted_where_it_is_meant() -> None:
    assert parse_document('{"prompt": "\\ufffd"}') == {"prompt": "\ufffd"}
    assert parse_document('{"prompt": "\ufffd"}'.encode()) == {"prompt": "\ufffd"}
