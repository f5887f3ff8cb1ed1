"""Requests for images in OpenAI's form, and the jobs that they become."""

import json
from typing import Any

import pytest

from contract.document import MalformedRequestError
from contract.generation import InvalidRequestError
from contract.submission import JobSubmission
from jobs.catalog import ModelCatalog
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.openai.models import ModelNames
from jobs.compatibility.openai.request import RequestedImages, ResponseFormat, parse_generation
from jobs.errors import ModelNotFoundError
from tests.jobs.fakes import CALLER, DEMO, OTHER, InMemoryBackend

MODELS = ModelNames(ModelCatalog([DEMO, OTHER], "demo"), {"gpt-image-1": "other", "dall-e-3": "demo"})


def requested(**given: Any) -> RequestedImages:
    return parse_generation(json.dumps({"prompt": "a red circle", **given}), MODELS)


def submission(**given: Any) -> JobSubmission:
    return requested(**given).submission


def refused(**given: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        requested(**given)
    return {each.pointer: each.detail for each in caught.value.errors}


def test_openais_names_are_translated() -> None:
    assert submission(
        model="gpt-image-1",
        n=2,
        size="512x768",
        quality="high",
        output_format="webp",
        output_compression=80,
    ) == JobSubmission(
        model="other",
        prompt="a red circle",
        count=2,
        width=512,
        height=768,
        steps=45,
        output_format="webp",
        quality=80,
    )


def test_this_apis_own_names_are_accepted_too() -> None:
    own = {
        "negative_prompt": "blurry",
        "steps": 20,
        "loras": [{"name": "moon"}],
        "upscale": {},
        "tags": ["a"],
    }
    expected = JobSubmission.model_validate({"prompt": "a red circle", "model": "demo", **own})
    assert submission(**own) == expected


def test_what_clients_send_by_default_changes_nothing() -> None:
    neutral = {
        "n": None,
        "size": "auto",
        "quality": "auto",
        "response_format": "b64_json",
        "output_format": None,
        "output_compression": None,
        "background": "auto",
        "moderation": "low",
        "style": "vivid",
        "stream": False,
        "partial_images": 0,
        "user": "someone",
        "safety_identifier": "a1",
        "negative_prompt": None,
    }
    assert submission(**neutral) == submission()


@pytest.mark.parametrize(
    ("quality", "steps"),
    [("low", 15), ("medium", None), ("standard", None), ("auto", None), ("high", 45), ("hd", 45)],
)
def test_quality_is_a_share_of_the_models_steps(quality: str, steps: int | None) -> None:
    assert submission(quality=quality).steps == steps


def test_steps_have_precedence_over_quality() -> None:
    assert submission(quality="low", steps=40).steps == 40


def test_quality_stays_within_the_models_steps() -> None:
    few = DEMO.model_copy(
        update={
            "defaults": DEMO.defaults.model_copy(update={"steps": 1}),
            "limits": DEMO.limits.model_copy(update={"max_steps": 1}),
        }
    )
    models = ModelNames(ModelCatalog([few], "demo"), None)
    for quality in ("low", "high"):
        body = json.dumps({"prompt": "a", "quality": quality})
        assert parse_generation(body, models).submission.steps == 1


def test_the_strongest_compression_is_the_lowest_quality() -> None:
    assert submission(output_compression=0).quality == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ResponseFormat.B64_JSON),
        ({"model": "gpt-image-1"}, ResponseFormat.B64_JSON),
        ({"model": "dall-e-3"}, ResponseFormat.URL),
        ({"model": "dall-e-3", "response_format": "b64_json"}, ResponseFormat.B64_JSON),
        ({"model": "demo", "response_format": "url"}, ResponseFormat.URL),
    ],
)
def test_images_have_the_requested_form_or_the_one_that_the_named_model_has_at_openai(
    given: dict[str, Any], expected: ResponseFormat
) -> None:
    assert requested(**given).response_format is expected


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("size", "big", "must be auto, or WIDTHxHEIGHT"),
        ("size", "100x104", "multiple of 8"),
        ("n", 0, "greater than or equal to 1"),
        ("n", "2", "valid integer"),
        ("quality", "ultra", "must be 'auto'"),
        ("quality", 90, "must be 'auto'"),
        ("response_format", "file", "must be 'url'"),
        ("output_format", "gif", "must be 'png'"),
        ("output_compression", 101, "less than or equal to 100"),
        ("background", "transparent", "no transparent areas"),
        ("style", "natural", "describe the style in the prompt"),
        ("stream", True, "not streamed"),
        ("partial_images", 2, "not streamed"),
        ("model", "a" * 101, "at most 100"),
        ("frame_count", 3, "unknown field"),
        ("svg", {}, "unknown field"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(name: str, value: Any, reason: str) -> None:
    errors = refused(**{name: value})
    assert [*errors] == [f"#/{name}"]
    assert reason in errors[f"#/{name}"]


def test_a_size_that_is_wrong_on_both_sides_is_one_error() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        requested(size="100x100")
    assert [each.pointer for each in caught.value.errors] == ["#/size"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"n": 1, "count": 1}, "n"),
        ({"size": "64x64", "width": 64}, "size"),
        ({"size": "64x64", "height": 64}, "size"),
    ],
)
def test_a_field_by_both_of_its_names_is_refused(given: dict[str, Any], name: str) -> None:
    assert "remove one of them" in refused(**given)[f"#/{name}"]


def test_errors_of_the_submission_have_the_names_that_the_client_used() -> None:
    parsed = requested(n=9, size="1024x512", strength=0.5)
    backend = InMemoryBackend()
    with pytest.raises(InvalidRequestError) as caught, fields_named(parsed.names):
        backend.service.submit(parsed.submission, CALLER)
    assert {each.pointer for each in caught.value.errors} == {"#/n", "#/size", "#/strength"}


def test_own_names_remain_in_errors() -> None:
    parsed = requested(count=9, width=1024)
    with pytest.raises(InvalidRequestError) as caught, fields_named(parsed.names):
        InMemoryBackend().service.submit(parsed.submission, CALLER)
    assert {each.pointer for each in caught.value.errors} == {"#/count", "#/width"}


def test_a_model_that_is_neither_deployed_nor_an_alias_is_not_found() -> None:
    with pytest.raises(ModelNotFoundError, match="There is no model 'dall-e-2'; use one of demo, other"):
        requested(model="dall-e-2")


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedRequestError):
        parse_generation("[]", MODELS)
