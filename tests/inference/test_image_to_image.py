"""What the demo model makes of pictures and masks, from the request to the file in the bucket."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contract.environment import ContainerEnvironment
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.result import GenerationResult
from inference.diffusion.loader import load_engine
from inference.engine.interface import Engine
from tests.inference.fake_engine import BUCKET, create_handler
from tests.inference.input.image_files import data_url
from training.image_analysis import analyse
from training.scene import Scene

SIZE = 128
BOX = (32, 32, 128, 128)
ENVIRONMENT = ContainerEnvironment(
    model=ModelDeclaration(
        name="demo",
        defaults=ModelDefaults(width=SIZE, height=SIZE, steps=15),
        limits=ModelLimits(min_size=64, max_size=256),
    ),
    data_bucket_name=BUCKET,
)
SCENE = Scene(shape="circle", colour="red", background="white", size="big", position="centre").draw()
SQUARE = "a big green square on a white background"

Draw = Callable[..., list[Image.Image]]


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


@pytest.fixture
def handle(engine: Engine, s3: Any) -> Callable[..., list[GenerationResult | BaseException]]:
    """Serves requests at once."""
    handler = create_handler(engine, s3, ENVIRONMENT)

    def handle(*requests: dict[str, Any]) -> list[GenerationResult | BaseException]:
        async def all_at_once() -> list[GenerationResult | BaseException]:
            bodies = [json.dumps({"prompt": SQUARE, "seed": 3, **request}).encode() for request in requests]
            return await asyncio.gather(*map(handler.handle, bodies), return_exceptions=True)

        return asyncio.run(all_at_once())

    return handle


@pytest.fixture
def draw(handle: Any, s3: Any) -> Draw:
    """Serves a request and reads its images from the bucket."""

    def draw(**request: Any) -> list[Image.Image]:
        (result,) = handle(request)
        assert isinstance(result, GenerationResult), result
        keys = [image.s3_uri.removeprefix(f"s3://{BUCKET}/") for image in result.images if image.s3_uri]
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
        return [Image.open(io.BytesIO(body)) for body in bodies]

    return draw


def masked(box: tuple[int, int, int, int] = BOX, scale: int = 1) -> Image.Image:
    mask = Image.new("L", (SIZE * scale, SIZE * scale))
    mask.paste(255, tuple(side * scale for side in box))
    return mask


def test_inpainting_draws_inside_the_mask_and_keeps_the_rest_to_the_byte(draw: Draw) -> None:
    box = (8, 8, 120, 120)
    images = draw(input_image=data_url(SCENE), mask_image=data_url(masked(box)), strength=1.0, count=2)
    assert len(images) == 2
    for image in images:
        found = analyse(image)
        assert (found.colour, found.shape, found.background) == ("green", "square", "white")
        assert outside(image, box) == outside(SCENE, box)


def outside(image: Image.Image, box: tuple[int, int, int, int]) -> bytes:
    blackened = image.copy()
    blackened.paste("black", box)
    return blackened.tobytes()


def test_half_a_mask_changes_half_a_picture(draw: Draw) -> None:
    box = (64, 0, 128, 128)
    (image,) = draw(
        prompt="a blue background", input_image=data_url(SCENE), mask_image=data_url(masked(box)), mask_blur=0
    )
    assert outside(image, box) == outside(SCENE, box)
    change = np.abs(np.asarray(image, dtype=float) - np.asarray(SCENE, dtype=float)).mean(axis=2)
    assert change[:, 64:].mean() > 20


def test_a_mask_twice_as_large_is_the_same_mask(draw: Draw) -> None:
    request = {"input_image": data_url(SCENE), "steps": 4, "strength": 1.0}
    (once,), (twice,) = (draw(**request, mask_image=data_url(masked(scale=scale))) for scale in (1, 2))
    assert once.tobytes() == twice.tobytes() != SCENE.tobytes()


def test_outpainting_keeps_the_centre_to_the_byte_and_goes_on_around_it(draw: Draw) -> None:
    picture = SCENE.resize((96, 96))
    (image,) = draw(
        prompt="a big red circle on a white background",
        input_image=data_url(picture),
        outpaint={"left": 32, "right": 32, "top": 32, "bottom": 32},
    )
    assert image.size == (160, 160)
    kept, inner = image.crop((48, 48, 112, 112)), picture.crop((16, 16, 80, 80))
    assert kept.tobytes() == inner.tobytes()
    corners = [image.getpixel(at) for at in ((2, 2), (157, 2), (2, 157), (157, 157))]
    assert all(min(corner) > 200 for corner in corners)
