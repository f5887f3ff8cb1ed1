"""Semantic tests of the demo model and its adapters: images are analysed and compared with their prompts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contract.generation import Generation
from contract.model import ModelDeclaration, ModelDefaults
from inference.diffusion.loader import load_engine
from inference.engine.interface import AdapterFile, Adapters, Callbacks, Engine, Inputs
from inference.input.canny import canny_edges
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S
from training.evaluation import new_shape_shares
from training.image_analysis import ImageAnalysis, analyse
from training.model import CONTROLNETS, DIRECTORY, LORAS, load_model
from training.scene import COLOURS, Scene
from training.shapes import SHAPES

pytestmark = pytest.mark.usefixtures("engine_thread_count")
MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=128, height=128, steps=20))


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


def run(engine: Engine, generation: Generation, inputs: Inputs) -> list[Image.Image]:
    return list(engine.submit(generation, inputs, Callbacks()).result(LIMIT_S).images)


def generate(
    engine: Engine, prompt: str, image: Image.Image | None = None, **request: Any
) -> list[Image.Image]:
    settings = {"prompt": prompt, "seed": 1} | request
    generation = generation_of(model=MODEL, from_image=image is not None, **settings)
    return run(engine, generation, Inputs(image))


def analysis_of(engine: Engine, prompt: str, **request: Any) -> ImageAnalysis:
    return analyse(generate(engine, prompt, **request)[0])


@pytest.mark.parametrize(
    "prompt",
    [
        "a red circle on a white background",
        "white background, red circle",
        "A photo of a red circle on white",
    ],
)
def test_differently_worded_prompts_give_a_red_circle_on_white(engine: Engine, prompt: str) -> None:
    analysis = analysis_of(engine, prompt)
    assert (analysis.colour, analysis.shape, analysis.background) == ("red", "circle", "white")


def test_a_prompt_without_a_background_gets_a_background_of_another_colour(engine: Engine) -> None:
    analysis = analysis_of(engine, "a photo of a red circle")
    assert (analysis.colour, analysis.shape) == ("red", "circle")
    assert analysis.background in set(COLOURS) - {"red"}


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_every_colour(engine: Engine, colour: str) -> None:
    background = "black" if colour != "black" else "yellow"
    analysis = analysis_of(engine, f"a big {colour} square on a {background} background")
    assert (analysis.colour, analysis.background) == (colour, background)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(engine: Engine, shape: str) -> None:
    assert analysis_of(engine, f"a big red {shape} on a white background").shape == shape


@pytest.mark.parametrize(
    ("phrase", "position"),
    [
        ("on the left", "left"),
        ("on the right", "right"),
        ("at the top", "top"),
        ("at the bottom", "bottom"),
        ("in the centre", "centre"),
    ],
)
def test_every_position(engine: Engine, phrase: str, position: str) -> None:
    prompt = f"a small blue circle on a yellow background {phrase}"
    assert analysis_of(engine, prompt).position == position


@pytest.mark.parametrize("size", ["small", "big"])
def test_every_size(engine: Engine, size: str) -> None:
    assert analysis_of(engine, f"a {size} green square on a black background").size == size


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(engine: Engine) -> None:
    first, again = (generate(engine, "a green star", seed=4)[0].tobytes() for _ in range(2))
    assert first == again != generate(engine, "a green star", seed=5)[0].tobytes()


def test_a_prompt_weight_of_one_changes_nothing_and_another_weight_does(engine: Engine) -> None:
    plain, one, strong = (
        generate(engine, f"a {red} circle on a white background")[0].tobytes()
        for red in ("red", "(red:1.0)", "(red:1.5)")
    )
    assert plain == one != strong


@pytest.mark.parametrize(
    "prompt",
    [
        "photo " * 80 + "a red circle on a white background",
        "a red circle BREAK on a white background",
    ],
    ids=["more than 77 tokens", "BREAK"],
)
def test_the_second_chunk_of_a_prompt_is_used(engine: Engine, prompt: str) -> None:
    analysis = analysis_of(engine, prompt)
    assert (analysis.colour, analysis.shape, analysis.background) == ("red", "circle", "white")


def test_a_negative_prompt_avoids_its_background(engine: Engine) -> None:
    def black_backgrounds(negative_prompt: str) -> int:
        settings = {"negative_prompt": negative_prompt, "guidance_scale": 3}
        images = generate(engine, "a white circle", seed=4, count=4, **settings)
        return sum(analyse(image).background == "black" for image in images)

    assert black_backgrounds("") >= 2
    assert black_backgrounds("a white circle on a black background") == 0


def test_image_to_image_keeps_the_layout_at_low_strength_only(engine: Engine) -> None:
    source = Scene(shape="square", colour="red", background="white", size="small", position="left").draw()
    prompt = "a small red square on a white background on the right"
    low, high = (generate(engine, prompt, source, strength=strength)[0] for strength in (0.3, 0.9))

    def distance(image: Image.Image) -> float:
        return float(np.abs(np.asarray(image, dtype=float) - np.asarray(source, dtype=float)).mean())

    assert distance(low) < 8 < distance(high)
    assert analyse(low).position == "left"


def test_diffusers_loads_both_lora_files_with_the_same_result() -> None:
    pipeline = load_model(DIRECTORY)
    assert new_shape_shares(pipeline, count=5)["shape"] < 0.2
    shares = []
    for name in ("moon.safetensors", "moon-kohya.safetensors"):
        pipeline.load_lora_weights(LORAS, weight_name=name)
        shares.append(new_shape_shares(pipeline, count=5))
        pipeline.unload_lora_weights()
    assert shares[0] == shares[1]
    assert shares[0]["shape"] >= 0.8


def test_the_model_and_the_loras_are_small() -> None:
    assert sum(path.stat().st_size for path in DIRECTORY.rglob("*.*")) < 16e6
    assert all(path.stat().st_size < 1e6 for path in LORAS.iterdir())


@pytest.mark.parametrize("position", ["left", "right", "top", "bottom"])
def test_the_controlnet_places_the_figure_where_the_edges_are(engine: Engine, position: str) -> None:
    scene = Scene(shape="star", colour="black", background="white", position=position)
    canny = AdapterFile("canny", CONTROLNETS / "canny", version="1")
    generation = generation_of(
        model=MODEL,
        prompt="a red star on a yellow background",
        seed=1,
        controlnets=[{"type": "canny", "image": "s3://data/inputs/edges.png"}],
    )
    inputs = Inputs(control_images=(canny_edges(scene.draw()),), adapters=Adapters(controlnets=(canny,)))
    (image,) = run(engine, generation, inputs)
    analysis = analyse(image)
    assert (analysis.colour, analysis.background, analysis.position) == ("red", "yellow", position)
