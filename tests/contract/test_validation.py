import json
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from contract.images import MAX_DATA_URL_CHARACTERS
from contract.options import ControlNet, Hires, Lora, Options, Outpaint, Upscale
from contract.problem import MAX_FIELD_ERRORS
from contract.request import InvocationRequest, JobRequest
from contract.submission import JobUpdate
from contract.validation import parse_request, validate
from tests.contract.parsing import IMAGE, by_pointer, find_model, parse_errors

DATA_URL = "data:image/png;base64,"
LORA_OBJECT = 'must be an object such as {"name": "moon", "weight": 1.0}'
CONTROLNET_OBJECT = 'must be an object such as {"type": "canny", "image": "s3://bucket/inputs/edges.png"}'


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ("{}", "#/prompt", "is required"),
        ('{"prompt": ""}', "#/prompt", "must not be empty"),
        ('{"prompt": " \\n"}', "#/prompt", "must not be empty"),
        ('{"prompt": 5}', "#/prompt", "must be a valid string"),
        ('{"prompt": "x", "width": 100}', "#/width", "multiple of 8"),
        ('{"prompt": "x", "width": "512"}', "#/width", "must be a valid integer"),
        ('{"prompt": "x", "width": 512.5}', "#/width", "must be a valid integer"),
        ('{"prompt": "x", "steps": true}', "#/steps", "must be a valid integer"),
        ('{"prompt": "x", "guidance_scale": 1e999}', "#/guidance_scale", "finite"),
        ('{"prompt": "x", "width": 16384}', "#/width", "less than or equal to 16376"),
        (f'{{"prompt": "x", "sampler": "{"e" * 65}"}}', "#/sampler", "at most 64 characters"),
        ('{"prompt": "x", "guidance_scale": "7"}', "#/guidance_scale", "must be a valid number"),
        ('{"prompt": "x", "guidance_interval": [0.8, 0.2]}', "#/guidance_interval", "two increasing numbers"),
        ('{"prompt": "x", "guidance_interval": [0.5, 0.5]}', "#/guidance_interval", "two increasing numbers"),
        ('{"prompt": "x", "guidance_interval": 0.5}', "#/guidance_interval", "must be a list"),
        ('{"prompt": "x", "guidance_interval": [0.5]}', "#/guidance_interval/1", "is required"),
        (
            '{"prompt": "x", "guidance_interval": [0.5, 2]}',
            "#/guidance_interval/1",
            "less than or equal to 1",
        ),
        ('{"prompt": "x", "guidance_interval": [0, 0.5, 1]}', "#/guidance_interval", "at most 2 items"),
        ('{"prompt": "x", "sampler": "fast"}', "#/sampler", "use one of euler, euler_a, heun"),
        ('{"prompt": "x", "output_format": "gif"}', "#/output_format", "must be 'png', 'jpeg' or 'webp'"),
        ('{"prompt": "x", "metadata": "some"}', "#/metadata", "must be 'full', 'parameters' or 'none'"),
    ],
)
def test_an_invalid_field_is_named_with_the_allowed_values(body: str, pointer: str, detail: str) -> None:
    errors = parse_errors(body)
    assert list(errors) == [pointer]
    assert detail in errors[pointer]


@pytest.mark.parametrize(
    ("field", "value", "pointer", "detail"),
    [
        ("loras", ["moon"], "#/loras/0", LORA_OBJECT),
        ("loras", [{"name": "moon"}, 5], "#/loras/1", LORA_OBJECT),
        ("loras", "moon", "#/loras", 'must be a list of objects such as [{"name": "moon", "weight": 1.0}]'),
        ("loras", {"name": "moon"}, "#/loras", "must be a list of objects such as"),
        ("controlnets", ["canny"], "#/controlnets/0", CONTROLNET_OBJECT),
        ("embeddings", "bad-hands", "#/embeddings", "must be a list"),
        ("outpaint", 64, "#/outpaint", 'must be an object such as {"left": 64, "right": 64}'),
        ("hires", True, "#/hires", 'must be an object such as {"scale": 2.0, "strength": 0.5}'),
        ("upscale", "x4", "#/upscale", 'must be an object such as {"scale": 2.0, "upscaler": "lanczos"}'),
    ],
)
def test_a_value_of_the_wrong_kind_is_answered_with_the_right_form(
    field: str, value: Any, pointer: str, detail: str
) -> None:
    errors = parse_errors({"prompt": "x", field: value})
    assert list(errors) == [pointer]
    assert detail in errors[pointer]


@pytest.mark.parametrize("options", [Lora, ControlNet, Outpaint, Hires, Upscale])
def test_the_examples_in_messages_are_valid(options: type[Options]) -> None:
    assert options.model_validate(options.example).model_dump().items() >= options.example.items()


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"promt": "y"}, "#/promt", "unknown field; did you mean prompt?"),
        ({"cfg": 7}, "#/cfg", "unknown field; see GET /v1/openapi.json"),
        ({"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "#/id", "unknown field"),
        ({"loras": [{"name": "a", "wieght": 1}]}, "#/loras/0/wieght", "unknown field; did you mean weight?"),
        ({"hires": {"scael": 2}}, "#/hires/scael", "unknown field; did you mean scale?"),
        ({"a/b~c": 1}, "#/a~1b~0c", "unknown field"),
        ({"x" * 1000: 1}, "#/" + "x" * 100, "unknown field"),
        ({"\x00": 1}, "#/\x00", "unknown field"),
    ],
)
def test_an_unknown_field_is_named_with_the_most_similar_known_one(
    body: dict[str, Any], pointer: str, detail: str
) -> None:
    errors = parse_errors({"prompt": "x", **body})
    assert list(errors) == [pointer]
    assert errors[pointer].startswith(detail)


def test_the_id_is_a_known_field_of_an_invocation() -> None:
    body = json.dumps({"prompt": "x", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "promt": 1})
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(InvocationRequest, body, find_model)
    assert list(by_pointer(caught.value)) == ["#/promt"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"width": 7, "steps": "many"}, {"#/prompt", "#/width", "#/steps"}),
        ({"prompt": "x", "colour": 1, "width": 1024, "count": 9}, {"#/colour", "#/width", "#/count"}),
        ({"prompt": 5, "steps": 500, "strength": 0.5}, {"#/prompt", "#/steps", "#/strength"}),
        ({"prompt": "x", "colour": 1, "model": "other"}, {"#/colour", "#/model"}),
        ({"prompt": "x", "hires": {"stpes": 3}, "width": 1024}, {"#/hires/stpes", "#/width"}),
    ],
)
def test_malformed_unknown_and_excessive_fields_are_reported_together(
    body: dict[str, Any], pointers: set[str]
) -> None:
    assert set(parse_errors(body)) == pointers


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"input_image": 5, "strength": 0.5}, "#/input_image"),
        ({"input_image": 5, "mask_image": IMAGE, "mask_blur": 3}, "#/input_image"),
        ({"input_image": IMAGE, "mask_image": 5, "mask_blur": 3}, "#/mask_image"),
        ({"input_image": IMAGE, "outpaint": 5, "mask_blur": 3}, "#/outpaint"),
        ({"input_image": IMAGE, "outpaint": 5, "steps": 1}, "#/outpaint"),
        ({"input_image": IMAGE, "steps": "9", "strength": 0.01}, "#/steps"),
        ({"steps": "9", "hires": {"strength": 0.01}}, "#/steps"),
        ({"count": "9", "seed": 2**32 - 1}, "#/count"),
        ({"width": "64", "upscale": {"scale": 4}, "height": 512}, "#/width"),
        ({"hires": 5, "upscale": {"scale": 4}, "height": 512}, "#/hires"),
        ({"model": 5, "width": 1024}, "#/model"),
    ],
)
def test_rules_that_involve_a_malformed_field_are_not_applied(body: dict[str, Any], pointer: str) -> None:
    assert list(parse_errors({"prompt": "x", **body})) == [pointer]


@pytest.mark.parametrize("count", [MAX_FIELD_ERRORS, MAX_FIELD_ERRORS + 1, 900])
def test_the_number_of_errors_in_an_answer_is_limited(count: int) -> None:
    errors = parse_errors({"prompt": "x", **{f"unknown-{number}": 1 for number in range(count)}})
    omitted = count - MAX_FIELD_ERRORS
    assert len(errors) == MAX_FIELD_ERRORS + (omitted > 0)
    assert errors.get("#") == (f"and {omitted} more" if omitted else None)


def test_omitted_violations_of_limits_are_counted_too() -> None:
    unknown = {f"unknown-{number}": 1 for number in range(MAX_FIELD_ERRORS + 3)}
    assert parse_errors({"prompt": "x", "width": 1024, "count": 9, **unknown})["#"] == "and 5 more"


def test_a_field_with_any_name_is_an_unknown_field() -> None:
    for name in ("body", "loc", "", "~/"):
        errors = parse_errors({"prompt": "x", name: 1})
        assert [detail.partition(";")[0] for detail in errors.values()] == ["unknown field"]
        with pytest.raises(InvalidRequestError, match="unknown field"):
            validate(JobUpdate, {"tags": [], name: 1})


def test_a_data_url_that_is_too_long_is_answered_with_the_limit_and_the_alternatives() -> None:
    longest = DATA_URL + "A" * (MAX_DATA_URL_CHARACTERS - len(DATA_URL))
    assert JobRequest(prompt="x", input_image=longest).input_image == longest
    errors = parse_errors({"prompt": "x", "input_image": longest + "A"})
    assert errors == {
        "#/input_image": (
            "a data: URL must have at most 5,000,000 characters; upload the file to the inputs/ prefix of "
            "the data bucket and pass its s3:// URI, or pass an https:// address"
        )
    }


def test_a_valid_request_is_parsed_and_its_limits_are_left_to_resolve() -> None:
    request = parse_request(JobRequest, b'{"prompt": "x", "width": 1024}', find_model)
    assert (request.prompt, request.width) == ("x", 1024)
