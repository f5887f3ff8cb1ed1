"""Inpainting and outpainting with the demo model, from the request to the stored image."""

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

Generate = Callable[..., list[Image.Image]]


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


@pytest.fixture
def handle(engine: Engine, s3: Any) -> Callable[..., list[GenerationResult | BaseException]]:
    """Handles requests concurrently."""
    handler = create_handler(engine, s3, ENVIRONMENT)

    def handle(*requests: dict[str, Any]) -> list[GenerationResult | BaseException]:
        async def handle_all() -> list[GenerationResult | BaseException]:
            bodies = [json.dumps({"prompt": SQUARE, "seed": 3, **request}).encode() for request in requests]
            return await asyncio.gather(*map(handler.handle, bodies), return_exceptions=True)

        return asyncio.run(handle_all())

    return handle


@pytest.fixture
def generate(handle: Any, s3: Any) -> Generate:
    """Handles a request and reads its images from the bucket."""

    def generate(**request: Any) -> list[Image.Image]:
        (result,) = handle(request)
        assert isinstance(result, GenerationResult), result
        keys = [image.s3_uri.removeprefix(f"s3://{BUCKET}/") for image in result.images if image.s3_uri]
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
        return [Image.open(io.BytesIO(body)) for body in bodies]

    return generate


def mask_of(box: tuple[int, int, int, int] = BOX, scale: int = 1) -> Image.Image:
    mask = Image.new("L", (SIZE * scale, SIZE * scale))
    mask.paste(255, tuple(side * scale for side in box))
    return mask


def outside(image: Image.Image, box: tuple[int, int, int, int]) -> bytes:
    """The pixels outside the box; those inside are black."""
    copy = image.copy()
    copy.paste("black", box)
    return copy.tobytes()


def test_inpainting_changes_the_mask_only(generate: Generate) -> None:
    box = (8, 8, 120, 120)
    images = generate(input_image=data_url(SCENE), mask_image=data_url(mask_of(box)), strength=1.0, count=2)
    assert len(images) == 2
    for image in images:
        analysis = analyse(image)
        assert (analysis.colour, analysis.shape, analysis.background) == ("green", "square", "white")
        assert outside(image, box) == outside(SCENE, box)


def test_inpainting_half_of_the_image_changes_that_half(generate: Generate) -> None:
    box = (64, 0, 128, 128)
    (image,) = generate(
        prompt="a blue background",
        input_image=data_url(SCENE),
        mask_image=data_url(mask_of(box)),
        mask_blur=0,
    )
    assert outside(image, box) == outside(SCENE, box)
    change = np.abs(np.asarray(image, dtype=float) - np.asarray(SCENE, dtype=float)).mean(axis=2)
    assert change[:, 64:].mean() > 20


def test_a_mask_of_twice_the_size_is_scaled(generate: Generate) -> None:
    request = {"input_image": data_url(SCENE), "steps": 4, "strength": 1.0}
    (same,), (double,) = (generate(**request, mask_image=data_url(mask_of(scale=scale))) for scale in (1, 2))
    assert same.tobytes() == double.tobytes() != SCENE.tobytes()


def test_outpainting_extends_the_background_and_keeps_the_centre(generate: Generate) -> None:
    source = SCENE.resize((96, 96))
    (image,) = generate(
        prompt="a big red circle on a white background",
        input_image=data_url(source),
        outpaint={"left": 32, "right": 32, "top": 32, "bottom": 32},
    )
    assert image.size == (160, 160)
    assert image.crop((48, 48, 112, 112)).tobytes() == source.crop((16, 16, 80, 80)).tobytes()
    corners = [image.getpixel(at) for at in ((2, 2), (157, 2), (2, 157), (157, 157))]
    assert all(min(corner) > 200 for corner in corners)
