"""The page's requests, and the jobs that they become."""

import json
from typing import Any

import pytest

from contract.document import MalformedRequestError
from contract.generation import InvalidRequestError
from contract.submission import JobSubmission
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.quick_kit.request import NAMES, parse_task
from tests.jobs.fakes import CALLER, InMemoryBackend

PAGE = {
    "prompt": " a photo of an astronaut riding a horse on moon",
    "negative_prompt": "",
    "width": 768,
    "height": 512,
    "steps": 20,
    "sampler": "euler_a",
    "seed": 123456,
    "count": 1,
}
"""A request, as the page sends it."""

FIRST_PAGE = {"prompt": " a horse", "width": 768, "height": 512, "steps": 20, "seed": -1, "sampler": ""}
"""A request, as the page's first version sends it."""

UPLOADED = "https://signed/data/inputs/a.png"
IMAGE = "s3://data/inputs/a.png"


def parsed(document: Any) -> JobSubmission:
    return parse_task(json.dumps(document), "demo", {UPLOADED: IMAGE}.get)


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        parsed({**PAGE, **fields})
    return {each.pointer: each.detail for each in caught.value.errors}


def test_the_pages_request_is_a_job() -> None:
    assert parsed(PAGE) == JobSubmission(
        model="demo",
        prompt=" a photo of an astronaut riding a horse on moon",
        width=768,
        height=512,
        steps=20,
        sampler="euler_a",
        seed=123456,
        count=1,
    )


def test_the_request_of_the_first_version_takes_defaults_and_a_random_seed() -> None:
    expected = JobSubmission(model="demo", prompt=" a horse", width=768, height=512, steps=20)
    assert parsed(FIRST_PAGE) == expected
    assert parsed({**FIRST_PAGE, "seed": None, "negative_prompt": None}) == expected


@pytest.mark.parametrize(
    ("sampler", "own"), [("eular", "euler"), ("heun", "heun"), ("lms", "lms"), ("dpm2", "dpm2")]
)
def test_the_pages_samplers_are_known(sampler: str, own: str) -> None:
    assert parsed({**PAGE, "sampler": sampler}).sampler == own


@pytest.mark.parametrize(
    ("seed", "own"),
    [(0, 0), (2**32 - 64, 2**32 - 64), (2**32 - 63, 0), (1000000999998, 1000000999998 % (2**32 - 63))],
)
def test_larger_seeds_than_the_api_has_are_reduced(seed: int, own: int) -> None:
    submission = parsed({**PAGE, "seed": seed, "count": 4})
    assert submission.seed == own
    InMemoryBackend().service.submit(submission, CALLER)


def test_an_uploaded_image_is_the_one_to_start_from() -> None:
    assert parsed({**PAGE, "input_image": UPLOADED}).input_image == IMAGE
    for off in (
        {"control_net_model": "disable"},
        {"control_net_model": "hed", "control_net_enable": "disable"},
    ):
        submission = parsed({**PAGE, "input_image": UPLOADED, **off})
        assert (submission.input_image, submission.controlnets) == (IMAGE, ())


def test_the_image_of_a_control_net_is_computed_unless_it_is_finished() -> None:
    computed = parsed({**PAGE, "input_image": UPLOADED, "control_net_model": "canny"})
    (control_net,) = computed.controlnets
    assert (control_net.type, control_net.image, control_net.preprocess) == ("canny", IMAGE, True)
    assert computed.input_image is None
    finished = {"control_net_model": "openpose", "control_net_detect": "false"}
    (control_net,) = parsed({**PAGE, "input_image": UPLOADED, **finished}).controlnets
    assert (control_net.type, control_net.preprocess) == ("openpose", False)


def test_a_lora_is_named_without_its_address() -> None:
    (lora,) = parsed({**PAGE, "lora_name": "moon", "lora_url": ""}).loras
    assert (lora.name, lora.weight) == ("moon", 1)


@pytest.mark.parametrize(
    ("fields", "name", "reason"),
    [
        ({"control_net_model": "openpose", "input_image": UPLOADED}, "control_net_model", "canny only"),
        ({"control_net_model": "canny"}, "input_image", "is required by control_net_model"),
        ({"control_net_detect": "yes"}, "control_net_detect", "must be true or false"),
        ({"sdxl_refiner": "enable"}, "sdxl_refiner", "cannot be enabled"),
        ({"lora_url": "https://example.com/a"}, "lora_url", "name one in lora_name"),
        ({"lora_name": "a/b"}, "lora_name", "must not contain /"),
        ({"input_image": "http://169.254.169.254/"}, "input_image", "must be s3://"),
        (
            {"control_net_model": "canny", "input_image": "http://localhost/"},
            "input_image",
            "must be s3://",
        ),
        ({"sampler": "unknown"}, "sampler", "unknown sampler"),
        ({"steps": 0}, "steps", "greater than or equal to 1"),
        ({"seed": -2}, "seed", "greater than or equal to -1"),
        ({"infer_args": {}}, "infer_args", "unknown field"),
        ({"output_s3uri": "s3://a/b/"}, "output_s3uri", "unknown field"),
    ],
)
def test_a_field_that_cannot_be_had_is_refused_by_its_name(
    fields: dict[str, Any], name: str, reason: str
) -> None:
    ((pointer, detail),) = refused(**fields).items()
    assert pointer == f"#/{name}"
    assert reason in detail


def test_limits_of_the_model_are_not_silently_applied() -> None:
    submission = parsed({**PAGE, "width": 1024, "count": 5})
    with pytest.raises(InvalidRequestError, match="must be at most 4, not 5") as caught, fields_named(NAMES):
        InMemoryBackend().service.submit(submission, CALLER)
    assert [each.pointer for each in caught.value.errors] == ["#/width", "#/count"]


def test_a_body_that_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedRequestError):
        parse_task("", "demo", {}.get)
