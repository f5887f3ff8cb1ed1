import base64
from typing import Any

import pytest

from contract.identifiers import new_job_id
from contract.request import JobRequest, input_image_uris
from jobs.inline_images import extract_inline_images
from tests.jobs.fakes import BUCKET

JOB = new_job_id()
IMAGES = {"input_image": b"\x89PNG input", "mask_image": b"\x89PNG mask", "controlnet": b"RIFF map"}


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


def test_data_urls_are_extracted_and_replaced_by_s3_uris() -> None:
    request = request_of(
        data_url(IMAGES["input_image"]),
        data_url(IMAGES["mask_image"]),
        data_url(IMAGES["controlnet"], "image/webp"),
    )
    without, images, errors = extract_inline_images(request, job_id=JOB, bucket=BUCKET)
    assert errors == ()
    prefix = f"s3://{BUCKET}/inputs/{JOB}"
    assert input_image_uris(without) == {
        "#/input_image": f"{prefix}/input_image",
        "#/mask_image": f"{prefix}/mask_image",
        "#/controlnets/0/image": "https://example.com/a.png",
        "#/controlnets/1/image": f"{prefix}/controlnets-1-image",
    }
    assert without.controlnets[1].weight == 0.5
    assert [(each.location.uri, each.media_type, each.data) for each in images] == [
        (f"{prefix}/input_image", "image/png", IMAGES["input_image"]),
        (f"{prefix}/mask_image", "image/png", IMAGES["mask_image"]),
        (f"{prefix}/controlnets-1-image", "image/webp", IMAGES["controlnet"]),
    ]


def test_s3_uris_under_inputs_and_outputs_and_https_urls_are_unchanged() -> None:
    request = request_of("s3://data/inputs/a", "s3://data/outputs/J/0.png", "https://example.com/b.png")
    assert extract_inline_images(request, job_id=JOB, bucket=BUCKET) == (request, (), ())


def test_a_request_without_images_is_unchanged() -> None:
    request = JobRequest(prompt="x")
    assert extract_inline_images(request, job_id=JOB, bucket=BUCKET) == (request, (), ())


@pytest.mark.parametrize("text", ["", "====", "iVBO*", "iVB ORw0", "iVBORw0\n", "aé"])
def test_invalid_base64_is_an_error(text: str) -> None:
    request = JobRequest(prompt="x", input_image=f"data:image/png;base64,{text}")
    _, _, (error,) = extract_inline_images(request, job_id=JOB, bucket=BUCKET)
    assert error.pointer == "#/input_image"
    assert error.detail == "must contain an image in base64, without spaces or line breaks"


def test_every_invalid_image_is_listed() -> None:
    request = request_of("data:image/png;base64,=", "data:image/png;base64,!", "s3://data/inputs/J.png")
    _, images, errors = extract_inline_images(request, job_id=JOB, bucket=BUCKET)
    assert [error.pointer for error in errors] == ["#/input_image", "#/mask_image"]
    assert images == ()
