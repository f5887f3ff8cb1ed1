"""The parts of a request that have fields of their own, and how they go together."""

from typing import Any

import pytest
from pydantic import ValidationError

from contract.generation import Generation, InvalidRequestError
from contract.identifiers import new_job_id
from contract.images import MAX_DATA_URL_CHARACTERS
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.options import OutputFormat
from contract.request import InvocationRequest, JobRequest, named_images
from contract.validation import field_errors

URI = "s3://data/inputs/a.png"
MODEL = ModelDeclaration(
    name="demo",
    defaults=ModelDefaults(width=128, height=128, steps=20, strength=0.6, clip_skip=2),
    limits=ModelLimits(max_size=512, max_steps=50, max_output_size=1024),
)
EVERYTHING = {
    "prompt": "x",
    "input_image": URI,
    "mask_image": "https://example.com/mask.png?a=b",
    "mask_blur": 0,
    "controlnets": [
        {"type": "canny", "image": "data:image/png;base64,AAAA", "weight": 1, "preprocess": True}
    ],
    "loras": [{"name": "moon", "weight": 0.5}, {"name": "style-2"}],
    "embeddings": ["bad_hands.v2"],
    "vae": "ft-mse",
    "clip_skip": 1,
    "refiner_start": 0.8,
    "upscale": {"scale": 2, "upscaler": "4x_model"},
    "output_format": "webp",
    "quality": 80,
}


def refused(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        JobRequest.model_validate({"prompt": "x", **body})
    return {error.pointer: error.detail for error in field_errors(caught.value.errors())}


def resolve(**body: Any) -> Generation:
    request = JobRequest.model_validate({"prompt": "x", **body})
    return Generation.resolve(request, MODEL, job_id=new_job_id(), seed=7)


def contradicted(**body: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        resolve(**body)
    return {error.pointer: error.detail for error in caught.value.errors}


@pytest.mark.parametrize(
    "body",
    [EVERYTHING, {"prompt": "x", "hires": {}}, {"prompt": "x", "input_image": URI, "outpaint": {"top": 8}}],
)
def test_whatever_may_be_asked_for_travels_to_the_container_unchanged(body: dict[str, Any]) -> None:
    generation = resolve(**body)
    arrived = InvocationRequest.model_validate_json(generation.model_dump_json())
    assert Generation.resolve(arrived, MODEL, job_id=generation.id, seed=12345) == generation


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"input_image": "http://example.com/a.png"}, "#/input_image", "https://host/path"),
        ({"input_image": "https://"}, "#/input_image", "https://host/path"),
        ({"input_image": "https://user:secret@example.com/a"}, "#/input_image", "user name or a password"),
        ({"input_image": "https://example.com/" + "a" * 2048}, "#/input_image", "at most 2048 characters"),
        ({"input_image": "data:text/html;base64,AAAA"}, "#/input_image", "data:image/"),
        ({"input_image": "data:image/png,AAAA"}, "#/input_image", ";base64"),
        ({"mask_image": "file:///etc/passwd"}, "#/mask_image", "s3://bucket/key"),
        ({"mask_blur": 65}, "#/mask_blur", "less than or equal to 64"),
        ({"loras": [{"name": "../../etc/passwd"}]}, "#/loras/0/name", "match pattern"),
        ({"loras": [{"name": "a", "weight": 5}]}, "#/loras/0/weight", "less than or equal to 4"),
        ({"loras": [{"name": "a", "wieght": 1}]}, "#/loras/0/wieght", "known are name, weight"),
        ({"loras": [{"name": str(n)} for n in range(9)]}, "#/loras", "at most 8"),
        ({"embeddings": ["a/b"]}, "#/embeddings/0", "match pattern"),
        ({"outpaint": {}}, "#/outpaint", "at least 8 pixels"),
        ({"outpaint": {"left": 7}}, "#/outpaint/left", "multiple of 8"),
        ({"hires": {"scale": 1}}, "#/hires/scale", "greater than 1"),
        ({"upscale": {"scale": 5}}, "#/upscale/scale", "less than or equal to 4"),
        ({"output_format": "gif"}, "#/output_format", "'png', 'jpeg' or 'webp'"),
        ({"quality": 0}, "#/quality", "greater than or equal to 1"),
        ({"clip_skip": 0}, "#/clip_skip", "greater than or equal to 1"),
        ({"refiner_start": 1}, "#/refiner_start", "less than 1"),
        (
            {"controlnets": [{"type": "depth", "image": URI, "preprocess": True}]},
            "#/controlnets/0",
            "only canny is computed here",
        ),
        (
            {"controlnets": [{"type": "canny", "image": URI, "start": 0.5, "end": 0.5}]},
            "#/controlnets/0",
            "start must be less than end",
        ),
        ({"controlnets": [{"type": "canny"}]}, "#/controlnets/0/image", "is required"),
    ],
)
def test_a_wrong_part_is_named_with_what_is_allowed(body: dict[str, Any], pointer: str, words: str) -> None:
    errors = refused(body)
    assert list(errors) == [pointer]
    assert words in errors[pointer]


def test_a_picture_inside_a_request_has_a_largest_size() -> None:
    url = "data:image/png;base64,"
    assert JobRequest(prompt="x", input_image=url + "A" * (MAX_DATA_URL_CHARACTERS - len(url)))
    assert "#/input_image" in refused({"input_image": url + "A" * MAX_DATA_URL_CHARACTERS})


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"mask_image": URI}, "#/mask_image", "needs an input_image"),
        ({"outpaint": {"left": 8}}, "#/outpaint", "needs an input_image"),
        ({"input_image": URI, "hires": {}}, "#/hires", "goes with a prompt alone"),
        ({"input_image": URI, "outpaint": {"left": 8}, "mask_image": URI}, "#/mask_image", "with outpaint"),
        ({"input_image": URI, "outpaint": {"left": 8}, "width": 64}, "#/width", "with outpaint"),
        ({"input_image": URI, "mask_blur": 3}, "#/mask_blur", "needs a mask_image or outpaint"),
        ({"loras": [{"name": "a"}, {"name": "a", "weight": 2}]}, "#/loras", "names one twice"),
        ({"embeddings": ["a", "a"]}, "#/embeddings", "names one twice"),
        ({"hires": {"steps": 51}}, "#/hires/steps", "at most 50, not 51"),
        ({"hires": {"steps": 3, "strength": 0.2}}, "#/hires/strength", "leave none to run"),
        ({"width": 512, "hires": {"scale": 2.1}}, "#/hires/scale", "would make 1075 pixels"),
        ({"width": 512, "upscale": {"scale": 4}}, "#/upscale/scale", "would make 2048 pixels"),
        ({"width": 512, "hires": {}, "upscale": {}}, "#/upscale/scale", "would make 2048 pixels"),
    ],
)
def test_parts_that_do_not_go_together_are_named(body: dict[str, Any], pointer: str, words: str) -> None:
    errors = contradicted(**body)
    assert list(errors) == [pointer]
    assert words in errors[pointer]


def test_what_a_part_leaves_out_is_filled_in() -> None:
    masked = resolve(input_image=URI, mask_image=URI)
    assert (masked.strength, masked.mask_blur, masked.clip_skip) == (0.6, 4, 2)
    assert resolve(input_image=URI, outpaint={"left": 8}).strength == 1
    assert resolve(hires={}, steps=9).hires is not None
    again = resolve(hires={}, steps=9).hires
    assert again is not None
    assert (again.steps, again.scale, again.strength, again.upscaler) == (9, 2, 0.5, "lanczos")
    assert resolve().mask_blur is None
    assert resolve().output_format is OutputFormat.PNG


def test_pictures_are_named_by_the_pointers_to_them() -> None:
    assert named_images(JobRequest.model_validate(EVERYTHING)) == {
        "#/input_image": URI,
        "#/mask_image": "https://example.com/mask.png?a=b",
        "#/controlnets/0/image": "data:image/png;base64,AAAA",
    }
    assert named_images(resolve()) == {}
