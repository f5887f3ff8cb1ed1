"""Requests for predictions, and the jobs that they become."""

import base64
import json
from typing import Any

import pytest

from contract.document import MalformedRequestError
from contract.generation import InvalidRequestError
from contract.submission import FINAL_EVENTS, JobSubmission, WebhookEvent
from jobs.catalog import ModelCatalog
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.replicate.models import version_of
from jobs.compatibility.replicate.request import (
    INPUT,
    RequestedPrediction,
    parse_model_prediction,
    parse_prediction,
)
from jobs.errors import ModelNotFoundError
from tests.jobs.fakes import CALLER, DEMO, OTHER, InMemoryBackend

CATALOG = ModelCatalog([DEMO, OTHER], "demo")
LINKS = {"https://signed/data/inputs/a.png": "s3://data/inputs/a.png"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()


def requested(document: Any) -> RequestedPrediction:
    return parse_prediction(json.dumps(document), CATALOG, LINKS.get)


def submission(**given: Any) -> JobSubmission:
    return requested({"version": "demo", "input": {"prompt": "a red circle", **given}}).submission


def refused(document: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        requested(document)
    return {each.pointer: each.detail for each in caught.value.errors}


def refused_input(**given: Any) -> dict[str, str]:
    return refused({"version": "demo", "input": {"prompt": "a red circle", **given}})


def test_the_names_of_replicates_models_are_translated() -> None:
    assert submission(
        negative_prompt="blurry",
        width=512,
        height=768,
        num_outputs=2,
        num_inference_steps=20,
        guidance_scale=7,
        scheduler="K_EULER_ANCESTRAL",
        seed=7,
        image="https://example.com/a.png",
        mask="https://example.com/b.png",
        prompt_strength=0.5,
        output_format="jpg",
        output_quality=80,
    ) == JobSubmission(
        model="demo",
        prompt="a red circle",
        negative_prompt="blurry",
        width=512,
        height=768,
        count=2,
        steps=20,
        guidance_scale=7.0,
        scheduler="euler_a",
        seed=7,
        input_image="https://example.com/a.png",
        mask_image="https://example.com/b.png",
        strength=0.5,
        output_format="jpeg",
        quality=80,
    )


def test_this_apis_own_names_are_accepted_too() -> None:
    own = {"steps": 20, "sampler": "ddim", "loras": [{"name": "moon"}], "upscale": {}, "tags": ["a"]}
    expected = JobSubmission.model_validate({"prompt": "a red circle", "model": "demo", **own})
    assert submission(**own) == expected


def test_defaults_that_change_nothing_are_accepted() -> None:
    neutral = {
        "refine": "no_refiner",
        "high_noise_frac": 0.8,
        "refine_steps": None,
        "lora_scale": 0.6,
        "replicate_weights": "",
        "apply_watermark": False,
        "disable_safety_checker": False,
        "prompt_strength": 0.8,
        "image": None,
        "mask": None,
        "negative_prompt": None,
        "seed": None,
    }
    assert submission(**neutral) == submission()


def test_the_ensemble_of_experts_is_the_refiner() -> None:
    assert submission(refine="expert_ensemble_refiner").refiner_start == 0.8
    assert submission(refine="expert_ensemble_refiner", high_noise_frac=0.6).refiner_start == 0.6


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("apply_watermark", True, "a setting of the deployment"),
        ("disable_safety_checker", True, "a setting of the deployment"),
        ("replicate_weights", "https://example.com/w.tar", "name them in `loras`"),
        ("refine_steps", 10, "base_image_refiner"),
        ("refine", "base_image_refiner", "no_refiner"),
        ("model", "other", "remove it here"),
        ("aspect_ratio", "16:9", "unknown field"),
        ("num_outputs", 0, "greater than or equal to 1"),
        ("scheduler", "unknown", "unknown scheduler"),
        ("image", "http://example.com/a.png", "must be s3://"),
        ("image", 7, "must be a valid string"),
        ("loras", [{"name": "a", "scale": 1}], "unknown field"),
    ],
)
def test_a_field_that_cannot_be_had_is_refused_by_its_name(name: str, value: Any, reason: str) -> None:
    ((pointer, detail),) = refused_input(**{name: value}).items()
    assert pointer.startswith(f"#/input/{name}")
    assert reason in detail


def test_a_field_by_both_of_its_names_is_refused() -> None:
    detail = "is the same as steps; remove one of them"
    assert refused_input(num_inference_steps=20, steps=30) == {"#/input/num_inference_steps": detail}


def test_no_prompt_strength_is_refused_for_an_image() -> None:
    errors = refused_input(image="https://example.com/a.png", prompt_strength=0)
    assert [*errors] == ["#/input/prompt_strength"]


def test_limits_of_the_model_are_reported_under_the_names_of_the_client() -> None:
    prediction = requested({"version": "demo", "input": {"prompt": "a", "num_inference_steps": 900}})
    with (
        pytest.raises(InvalidRequestError) as caught,
        fields_named(prediction.names, within=INPUT),
    ):
        InMemoryBackend().service.submit(prediction.submission, CALLER)
    assert caught.value.detail == "input/num_inference_steps: must be at most 150, not 900"


def test_links_to_files_and_data_urls_of_unknown_type_are_images() -> None:
    given = submission(
        image="https://signed/data/inputs/a.png",
        mask=f"data:application/octet-stream;base64,{PNG}",
        controlnets=[{"type": "canny", "image": "https://signed/data/inputs/a.png"}],
    )
    assert given.input_image == given.controlnets[0].image == "s3://data/inputs/a.png"
    assert given.mask_image == f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize(
    "reference",
    [
        {"version": "other"},
        {"version": version_of("other")},
        {"version": "anyone/other"},
        {"version": f"anyone/other:{version_of('other')}"},
        {"version": "anyone/other:other"},
        {"model": "anyone/other"},
        {"model": "other"},
    ],
)
def test_the_model_is_named_by_its_name_or_its_version(reference: dict[str, str]) -> None:
    assert requested({**reference, "input": {"prompt": "a"}}).submission.model == "other"


@pytest.mark.parametrize(
    ("reference", "pointer"),
    [
        ({"version": "0" * 64}, "#/version"),
        ({"version": f"anyone/demo:{version_of('other')}"}, "#/version"),
        ({"version": f"anyone/missing:{version_of('other')}"}, "#/version"),
        ({"version": "anyone/"}, "#/version"),
        ({"model": "anyone/missing"}, "#/model"),
        ({"model": version_of("demo")}, "#/model"),
    ],
)
def test_an_unknown_model_is_not_found(reference: dict[str, str], pointer: str) -> None:
    with pytest.raises(ModelNotFoundError, match="use one of demo, other") as caught:
        requested({**reference, "input": {"prompt": "a"}})
    assert [each.pointer for each in caught.value.errors] == [pointer]


def test_the_path_names_the_model() -> None:
    body = json.dumps({"input": {"prompt": "a"}})
    assert parse_model_prediction(body, OTHER, LINKS.get).submission.model == "other"
    with pytest.raises(InvalidRequestError, match="version: unknown field"):
        parse_model_prediction(json.dumps({"input": {}, "version": "demo"}), OTHER, LINKS.get)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"input": {"prompt": "a"}}, "#/version"),
        ({"version": "demo", "model": "demo", "input": {"prompt": "a"}}, "#/model"),
        ({"version": "demo"}, "#/input"),
        ({"version": "demo", "input": ["a"]}, "#/input"),
        ({"version": "demo", "input": {}}, "#/input/prompt"),
        ({"version": "demo", "input": {"prompt": "a"}, "deployment": "x"}, "#/deployment"),
        ({"version": "demo", "input": {"prompt": "a"}, "webhook": "http://example.com/"}, "#/webhook"),
        ({"version": "demo", "input": {"prompt": "a"}, "webhook_events_filter": ["start"]}, None),
    ],
)
def test_a_request_that_is_not_valid_names_the_field(document: Any, pointer: str | None) -> None:
    assert [*refused(document)] == [pointer or "#/webhook_events_filter"]


def test_a_body_that_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedRequestError, match="is not valid JSON"):
        parse_prediction("{", CATALOG, LINKS.get)


def with_webhook(**fields: Any) -> tuple[str | None, tuple[WebhookEvent, ...]]:
    given = requested({"version": "demo", "input": {"prompt": "a"}, **fields}).submission
    return given.webhook_url, given.webhook_events


def test_the_events_of_webhooks_are_those_of_jobs() -> None:
    url = "https://example.com/hook"
    started, succeeded = WebhookEvent.STARTED, WebhookEvent.SUCCEEDED
    assert with_webhook(webhook=url) == (url, (started, *FINAL_EVENTS))
    assert with_webhook(webhook=url, webhook_events_filter=["completed"]) == (url, FINAL_EVENTS)
    assert with_webhook(webhook=url, webhook_events_filter=["start", "output"]) == (url, (started, succeeded))
    assert with_webhook(webhook_completed=url) == (url, FINAL_EVENTS)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"webhook": "https://example.com/", "webhook_events_filter": ["logs"]}, "#/webhook_events_filter"),
        ({"webhook": "https://example.com/", "webhook_events_filter": ["end"]}, "#/webhook_events_filter/0"),
        (
            {"webhook": "https://example.com/", "webhook_completed": "https://example.com/"},
            "#/webhook_completed",
        ),
    ],
)
def test_webhooks_that_would_not_be_called_as_requested_are_refused(
    fields: dict[str, Any], pointer: str
) -> None:
    assert [*refused({"version": "demo", "input": {"prompt": "a"}, **fields})] == [pointer]
