import base64
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from contract.identifiers import new_job_id
from contract.request import JobRequest, named_images
from jobs.inline_images import take_out
from tests.jobs.fakes import BUCKET

JOB = new_job_id()
PICTURES = {"input_image": b"\x89PNG input", "mask_image": b"\x89PNG mask", "controlnet": b"RIFF map"}


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def request_of(input_image: str, mask_image: str, control: str) -> JobRequest:
    document: dict[str, Any] = {
        "prompt": "x",
        "input_image": input_image,
        "mask_image": mask_image,
        "controlnets": [
            {"type": "canny", "image": "https://example.com/a.png"},
            {"type": "depth", "image": control, "weight": 0.5},
        ],
    }
    return JobRequest.model_validate(document, strict=False)


def test_pictures_that_come_along_are_taken_out_and_their_places_named() -> None:
    request = request_of(
        data_url(PICTURES["input_image"]),
        data_url(PICTURES["mask_image"]),
        data_url(PICTURES["controlnet"], "image/webp"),
    )
    without, pictures = take_out(request, job_id=JOB, bucket=BUCKET)
    prefix = f"s3://{BUCKET}/inputs/{JOB}"
    assert named_images(without) == {
        "#/input_image": f"{prefix}/input_image",
        "#/mask_image": f"{prefix}/mask_image",
        "#/controlnets/0/image": "https://example.com/a.png",
        "#/controlnets/1/image": f"{prefix}/controlnets-1-image",
    }
    assert without.controlnets[1].weight == 0.5
    assert [(each.location.uri, each.media_type, each.data) for each in pictures] == [
        (f"{prefix}/input_image", "image/png", PICTURES["input_image"]),
        (f"{prefix}/mask_image", "image/png", PICTURES["mask_image"]),
        (f"{prefix}/controlnets-1-image", "image/webp", PICTURES["controlnet"]),
    ]


def test_what_lies_among_inputs_or_outputs_or_on_the_web_stays_where_it_is() -> None:
    request = request_of("s3://data/inputs/a", "s3://data/outputs/J/0.png", "https://example.com/b.png")
    assert take_out(request, job_id=JOB, bucket=BUCKET) == (request, ())


def test_a_request_without_pictures_is_left_as_it_is() -> None:
    request = JobRequest(prompt="x")
    assert take_out(request, job_id=JOB, bucket=BUCKET) == (request, ())


@pytest.mark.parametrize("text", ["", "====", "iVBO*", "iVB ORw0", "iVBORw0\n", "aé"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    request = JobRequest(prompt="x", input_image=f"data:image/png;base64,{text}")
    with pytest.raises(InvalidRequestError) as refused:
        take_out(request, job_id=JOB, bucket=BUCKET)
    (error,) = refused.value.errors
    assert (error.pointer, error.detail[:24]) == ("#/input_image", "must hold a picture in b")


def test_every_wrong_picture_is_named() -> None:
    request = request_of("s3://elsewhere/inputs/a", "data:image/png;base64,!", "s3://data/requests/J.json")
    with pytest.raises(InvalidRequestError) as refused:
        take_out(request, job_id=JOB, bucket=BUCKET)
    assert [error.pointer for error in refused.value.errors] == [
        "#/input_image",
        "#/mask_image",
        "#/controlnets/1/image",
    ]
    assert refused.value.errors[0].detail == "must be under s3://data/inputs/ or s3://data/outputs/"
