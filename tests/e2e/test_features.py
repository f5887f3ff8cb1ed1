"""Features of the API, verified in the generated images."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from rich.console import Console

from local.showcase.command import Api, run
from local.stack import LocalStack
from tests.e2e.client import finish, submit
from tests.inference.input.image_files import data_url
from training.image_analysis import analyse
from training.scene import Scene
from training.shapes import NEW_SHAPE, SHAPES

CIRCLE = Scene(shape="circle", colour="orange", background="white", size="big").draw()
Generate = Callable[..., Image.Image]


@pytest.fixture(scope="module")
def generate(http: httpx.Client) -> Generate:
    """Submits a job and returns its first image."""

    def generate(**request: Any) -> Image.Image:
        done = finish(http, submit(http, **{"steps": 8, "seed": 1, **request}))
        assert done["status"] == "succeeded", done["error"]
        return Image.open(io.BytesIO(httpx.get(done["images"][0]["url"]).content))

    return generate


def test_the_showcase_has_the_expected_results(stack: LocalStack, tmp_path: Path) -> None:
    api = Api(stack.address.api_url, stack.address.api_key)
    run(api, output=tmp_path / "sheet.png", console=Console(quiet=True))
    assert (tmp_path / "sheet.png").exists()


def pixels(image: Image.Image) -> Any:
    return np.asarray(image.convert("RGB"))


def test_a_lora_adds_a_shape_that_the_model_cannot_generate(generate: Generate) -> None:
    request = {"prompt": "a big red moon on a white background", "steps": 12}
    without, with_lora = generate(**request), generate(**request, loras=[{"name": "moon"}])
    found = analyse(with_lora, shapes=(*SHAPES, NEW_SHAPE))
    assert (found.shape, found.colour, found.background) == (NEW_SHAPE, "red", "white")
    assert analyse(without, shapes=(*SHAPES, NEW_SHAPE)).shape != NEW_SHAPE


def test_inpainting_changes_the_masked_area_only(generate: Generate) -> None:
    mask = Image.new("L", CIRCLE.size)
    mask.paste(255, (64, 0, 128, 128))
    image = generate(
        prompt="a big red circle on a white background",
        input_image=data_url(CIRCLE),
        mask_image=data_url(mask),
        strength=1.0,
    )
    before, after = pixels(CIRCLE), pixels(image)
    assert (after[:, :64] == before[:, :64]).all()
    assert analyse(CIRCLE.crop((64, 0, 128, 128))).colour == "orange"
    assert analyse(image.crop((64, 0, 128, 128))).colour == "red"


def test_only_the_masked_area_is_generated_at_the_models_size(generate: Generate) -> None:
    pair, mask = Image.new("RGB", (256, 128), "white"), Image.new("L", (256, 128))
    pair.paste(CIRCLE, (128, 0))
    mask.paste(255, (128, 0, 256, 128))
    image = generate(
        prompt="a big green heart on a white background",
        input_image=data_url(pair),
        mask_image=data_url(mask),
        mask_padding=0,
        strength=1.0,
        steps=20,
    )
    assert image.size == pair.size
    assert (pixels(image)[:, :128] == 255).all()
    found = analyse(image.crop((128, 0, 256, 128)))
    assert (found.shape, found.colour) == ("heart", "green")


def test_outpainting_keeps_the_input_and_generates_its_surroundings(generate: Generate) -> None:
    half = CIRCLE.crop((32, 0, 96, 128))
    image = generate(
        prompt="a big orange circle on a white background",
        input_image=data_url(half),
        outpaint={"left": 32, "right": 32},
    )
    assert image.size == (128, 128)
    before, after = pixels(half), pixels(image)
    assert (after[:, 48:80] == before[:, 16:48]).all()
    found = analyse(image)
    assert (found.colour, found.shape, found.background) == ("orange", "circle", "white")


def test_output_format_webp(http: httpx.Client) -> None:
    done = finish(http, submit(http, steps=1, width=64, height=64, output_format="webp"))
    (image,) = done["images"]
    assert image["s3_uri"] == done["output_s3_uris"][0]
    assert image["s3_uri"].endswith("/0.webp")
    response = httpx.get(image["url"])
    assert response.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(response.content)).format == "WEBP"


def test_the_request_in_a_png_reproduces_the_image(generate: Generate) -> None:
    image = generate(prompt="a (green:1.2) star", steps=3, sampler="DPM++ 2M Karras", seed=9, clip_skip=2)
    assert isinstance(image, PngImageFile)
    parameters = image.text["parameters"]
    assert parameters.startswith("a (green:1.2) star\n")
    for setting in ("Steps: 3", "Sampler: DPM++ 2M Karras", "Seed: 9", "Size: 128x128", "Clip skip: 2"):
        assert setting in parameters
    again = generate(**json.loads(image.text["generation"])["request"])
    assert again.tobytes() == image.tobytes()


def test_hires_and_upscaling_multiply_the_size(generate: Generate) -> None:
    image = generate(
        prompt="a big yellow star on a blue background",
        width=64,
        height=64,
        hires={"scale": 2, "strength": 0.7},
        upscale={"scale": 1.5},
    )
    assert image.size == (192, 192)
    found = analyse(image)
    assert (found.colour, found.shape, found.background) == ("yellow", "star", "blue")
