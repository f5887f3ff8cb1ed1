import pytest
from pydantic import ValidationError

from contract.request import MAX_SEED, JobRequest
from contract.validation import field_errors


def errors_of(body: str) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        JobRequest.model_validate_json(body)
    return {error.pointer: error.detail for error in field_errors(caught.value.errors())}


def test_a_prompt_is_enough() -> None:
    request = JobRequest.model_validate_json('{"prompt": "a red circle"}')
    assert request.prompt == "a red circle"
    assert request.width is None


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ("{}", "#/prompt", "is required"),
        ('{"prompt": ""}', "#/prompt", "must not be empty"),
        ('{"prompt": " \\n"}', "#/prompt", "must not be empty"),
        ('{"prompt": 5}', "#/prompt", "valid string"),
        ('{"prompt": "x", "promt": "y"}', "#/promt", "not a known field; known are model, prompt"),
        ('{"prompt": "x", "width": 100}', "#/width", "multiple of 8"),
        ('{"prompt": "x", "height": -8}', "#/height", "greater than or equal to 8"),
        ('{"prompt": "x", "width": "512"}', "#/width", "valid integer"),
        ('{"prompt": "x", "width": 512.5}', "#/width", "valid integer"),
        ('{"prompt": "x", "steps": 0}', "#/steps", "greater than or equal to 1"),
        ('{"prompt": "x", "steps": true}', "#/steps", "valid integer"),
        ('{"prompt": "x", "count": 0}', "#/count", "greater than or equal to 1"),
        ('{"prompt": "x", "guidance_scale": NaN}', "#/guidance_scale", "finite"),
        ('{"prompt": "x", "guidance_scale": "7"}', "#/guidance_scale", "valid number"),
        ('{"prompt": "x", "seed": -1}', "#/seed", "greater than or equal to 0"),
        (f'{{"prompt": "x", "seed": {MAX_SEED + 1}}}', "#/seed", f"less than or equal to {MAX_SEED}"),
        ('{"prompt": "x", "strength": 0}', "#/strength", "greater than 0"),
        ('{"prompt": "x", "strength": 1.01}', "#/strength", "less than or equal to 1"),
        ('{"prompt": "x", "input_image": "http://a/b"}', "#/input_image", "s3://bucket/key"),
        ('{"prompt": "x", "input_image": "s3://bucket"}', "#/input_image", "s3://bucket/key"),
        ('{"prompt": "x", "sampler": "fast"}', "#/sampler", "use one of euler, euler_a, heun"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(body: str, pointer: str, words: str) -> None:
    errors = errors_of(body)
    assert list(errors) == [pointer]
    assert words in errors[pointer]


def test_all_wrong_fields_are_named_at_once() -> None:
    assert set(errors_of('{"width": 7, "steps": "many"}')) == {"#/prompt", "#/width", "#/steps"}


def test_an_alias_becomes_the_sampler_it_stands_for() -> None:
    assert JobRequest(prompt="x", sampler="eular").sampler == "euler"


def test_a_pointer_escapes_what_json_pointers_reserve() -> None:
    assert "#/a~1b~0c" in errors_of('{"prompt": "x", "a/b~c": 1}')


@pytest.mark.parametrize("prompt", ["красный круг", "赤い丸", "🔴", "e\u0301", "a\nb", '"quoted"'])
def test_any_text_is_a_prompt(prompt: str) -> None:
    request = JobRequest(prompt=prompt)
    assert JobRequest.model_validate_json(request.model_dump_json()).prompt == prompt
