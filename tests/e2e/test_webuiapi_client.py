"""The client of AUTOMATIC1111's web UI, as its users install it, against the whole system."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from local.stack import LocalStack
from tests.e2e.clients.environment import report_of

STAR = "a big yellow star on a blue background"
SIDE = 128


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image; beside it a mask of its right half."""
    directory = tmp_path_factory.mktemp("webuiapi")
    Image.new("RGB", (SIDE, SIDE), "navy").save(directory / "image.png")
    right_half = Image.new("L", (SIDE, SIDE))
    right_half.paste(255, (SIDE // 2, 0, SIDE, SIDE))
    right_half.save(directory / "mask.png")
    return directory / "image.png"


@pytest.fixture(scope="module")
def report(stack: LocalStack, image: Path) -> Any:
    """The report of the client, which has used the API."""
    address, mask = stack.address, image.with_name("mask.png")
    return report_of("webuiapi_client.py", address.api_url, address.api_key, str(image), str(mask))


def test_images_are_generated_with_their_parameters(report: Any) -> None:
    assert report["sizes"] == [[SIDE, SIDE]] * 2
    assert report["parameters"] == [STAR, 7, 2]
    info = report["info"]
    assert (info["prompt"], info["negative_prompt"], info["all_seeds"]) == (STAR, "a moon", [7, 8])
    assert (info["sampler_name"], info["sd_model_name"]) == ("Euler a", "demo")
    assert [text.startswith(f"{STAR}\nNegative prompt: a moon\nSteps: 4") for text in info["infotexts"]] == [
        True,
        True,
    ]


def test_the_parameters_of_an_image_are_read(report: Any) -> None:
    parameters = report["png_info"]
    assert (parameters["Prompt"], parameters["Seed"], parameters["Size-1"]) == (STAR, "7", "128")


def test_a_second_pass_a_lora_and_a_controlnet(report: Any) -> None:
    assert report["upscaled"] == [2 * SIDE, 2 * SIDE]
    assert "<lora:moon:0.8>" in report["moon"]
    assert report["has_controlnet"]
    assert "Module: canny" in report["controlled"]
    assert "ControlNet" not in report["moon"]


def test_only_the_masked_half_changes(report: Any, image: Path) -> None:
    assert report["changed"] == [SIDE, SIDE]
    before = np.asarray(Image.open(image))
    after = np.asarray(Image.open(f"{image}.inpainted.png").convert("RGB"))
    changed = (before != after).any(axis=2)
    assert not changed[:, : SIDE // 2].any()
    assert changed[:, SIDE // 2 :].any()


def test_the_jobs_are_in_the_list(report: Any, http: httpx.Client) -> None:
    (job, *_) = http.get("/v1/jobs", params={"tag": "automatic1111", "text": STAR}).json()["data"]
    assert job["status"] == "succeeded"


def test_lists(report: Any) -> None:
    assert "demo" in report["models"]
    assert {"Euler a", "DPM++ 2M"} <= {*report["samplers"]}
    assert {"automatic", "karras"} <= {*report["schedulers"]}
    assert "moon" in report["loras"]
    assert report["upscalers"][:2] == ["None", "Lanczos"]
    assert report["empty"] == [[], [], [], [], [], None]
    assert report["known"] == [True, True, True]
    assert isinstance(report["vaes"], list)


def test_the_callers_options(report: Any) -> None:
    assert report["options"] == {"model": "demo", "clip_skip": 2}


def test_an_interrupted_request_is_answered_with_an_error(report: Any) -> None:
    interrupted = report["interrupted"]
    assert (interrupted["error"]["status"], interrupted["error"]["error"]) == (409, "canceled")
    assert interrupted["progress"]["progress"] > 0
    assert interrupted["progress"]["state"]["job_count"] == 1


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("tiling", "tiling"),
        ("latent", "hr_upscaler"),
        ("fill", "inpainting_fill"),
        ("wide", "resize_mode"),
        ("too_large", "width"),
    ],
)
def test_a_refusal_is_the_clients_own_error_which_names_the_field(report: Any, name: str, field: str) -> None:
    error = report[name]
    assert (error["status"], error["error"]) == (422, "validation_failed")
    assert [each["loc"] for each in error["detail"]] == [["body", field]]
