"""Requests for image to image, and the jobs that they become."""

import json
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from contract.submission import JobSubmission
from jobs.catalog import ModelCatalog
from jobs.compatibility.automatic1111.image_to_image import ImageToImageRequest
from jobs.compatibility.automatic1111.request import TAG, RequestedImages, parse_images_request
from jobs.compatibility.automatic1111.settings import NOT_SET
from tests.jobs.compatibility.automatic1111.payloads import IMAGE, IMAGE_TO_IMAGE, MASK, UNIT, png
from tests.jobs.fakes import DEMO

CATALOG = ModelCatalog([DEMO], "demo")
MASKED = {"mask": MASK, "inpainting_fill": 1}


def requested(**fields: Any) -> RequestedImages:
    return parse_images_request(
        ImageToImageRequest, json.dumps({**IMAGE_TO_IMAGE, **fields}), NOT_SET, CATALOG
    )


def submission(**fields: Any) -> JobSubmission:
    return requested(**fields).submission


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        requested(**fields)
    return {each.pointer: each.detail for each in caught.value.errors}


def test_the_defaults_of_webuiapi_are_a_job() -> None:
    assert submission() == JobSubmission(
        model="demo",
        prompt="a red circle",
        width=512,
        height=512,
        steps=20,
        guidance_scale=7.0,
        sampler="euler_a",
        scheduler="automatic",
        count=1,
        input_image=IMAGE,
        strength=0.75,
        tags=(TAG,),
    )


def test_only_the_masked_area_is_generated_by_default() -> None:
    found = submission(**MASKED, inpaint_full_res_padding=32, inpainting_mask_invert=1, mask_blur=8)
    assert (found.mask_image, found.mask_padding) == (MASK, 32)
    assert (found.mask_invert, found.mask_blur) == (True, 8)


def test_the_whole_image_may_be_generated_with_a_mask() -> None:
    assert submission(**MASKED, inpaint_full_res=False).mask_padding is None


def test_the_blur_of_a_mask_may_be_given_by_direction() -> None:
    assert submission(**MASKED, mask_blur=None, mask_blur_x=6, mask_blur_y=6).mask_blur == 6
    assert "#/mask_blur_y" in refused(**MASKED, mask_blur=None, mask_blur_x=6, mask_blur_y=4)


def test_images_may_be_base64_with_line_breaks() -> None:
    content = png()
    found = submission(init_images=[f"{content[:40]}\n{content[40:]}"])
    assert found.input_image == f"data:image/png;base64,{content}"


def test_images_may_be_addresses() -> None:
    fields = {"init_images": ["https://example.com/a.png"], "resize_mode": 1}
    assert submission(**fields).input_image == "https://example.com/a.png"


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_an_image_of_another_aspect_ratio_is_not_stretched(mode: int) -> None:
    wide = [png(128, 64)]
    assert "#/resize_mode" in refused(init_images=wide, resize_mode=mode)
    assert "#/resize_mode" in refused(init_images=["https://example.com/a.png"], resize_mode=mode)
    assert submission(init_images=wide, resize_mode=mode, height=256)
    assert submission(init_images=wide, resize_mode=mode, width=None)
    assert submission(init_images=wide, resize_mode=1)
    assert submission(init_images=wide, resize_mode=mode, **MASKED)  # the image keeps its size
    assert "#/resize_mode" in refused(init_images=wide, resize_mode=mode, **MASKED, inpaint_full_res=False)


@pytest.mark.parametrize("fill", [2, 3])
def test_the_masked_area_begins_as_noise_at_the_full_strength_only(fill: int) -> None:
    assert submission(mask=MASK, inpainting_fill=fill, denoising_strength=1).mask_image == MASK
    assert "#/inpainting_fill" in refused(mask=MASK, inpainting_fill=fill)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("init_images", []),
        ("init_images", [IMAGE, IMAGE]),
        ("inpainting_fill", 0),
        ("mask_round", False),
        ("latent_mask", "x"),
        ("initial_noise_multiplier", 0.9),
        ("inpaint_full_res_padding", 513),
        ("mask_blur", 65),
        ("denoising_strength", 0),
        ("mask", "text"),
        ("resize_mode", 4),
        ("enable_hr", True),
    ],
)
def test_a_value_that_cannot_be_had_is_refused_under_its_name(name: str, value: Any) -> None:
    assert f"#/{name}" in refused(**{**MASKED, name: value})


def test_an_input_that_is_no_image_is_refused() -> None:
    assert "#/init_images/0" in refused(init_images=["bm90IGFuIGltYWdl"])
    assert "#/init_images" in refused(init_images=None)


def test_the_answer_repeats_images_only_if_the_request_says_so() -> None:
    parameters = requested(**MASKED).parameters
    assert (parameters["init_images"], parameters["mask"]) == (None, None)
    parameters = requested(**MASKED, include_init_images=True).parameters
    assert (parameters["init_images"], parameters["mask"]) == ([IMAGE], MASK)


def test_a_controlnet_without_an_image_uses_the_input_image() -> None:
    unit = {**UNIT, "image": None}
    (found,) = submission(alwayson_scripts={"controlnet": {"args": [unit]}}).controlnets
    assert found.image == IMAGE
