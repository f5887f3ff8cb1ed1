"""What the demo model draws, by meaning: the examination looks at the pictures, not the network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults
from contract.request import JobRequest
from inference.diffusion.loader import load_engine
from inference.engine.interface import AdapterFile, Adapters, Engine, Inputs
from inference.input.canny import canny_edges
from training.evaluation import new_shape_shares
from training.image_analysis import ImageAnalysis, analyse
from training.model import CONTROLNETS, DIRECTORY, LORAS, load_model
from training.scene import COLOURS, Scene
from training.shapes import SHAPES

MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=128, height=128, steps=20))


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


def draw(engine: Engine, prompt: str, image: Image.Image | None = None, **request: Any) -> list[Image.Image]:
    if image is not None:
        request["input_image"] = "s3://data/inputs/a.png"
    asked = JobRequest.model_validate({"prompt": prompt, "seed": 1, **request})
    generation = Generation.resolve(asked, MODEL, job_id=new_job_id(), seed=0)
    return list(engine.submit(generation, Inputs(image), lambda step, total: None).result(300).images)


def look(engine: Engine, prompt: str, **request: Any) -> ImageAnalysis:
    return analyse(draw(engine, prompt, **request)[0])


@pytest.mark.parametrize(
    "prompt",
    [
        "a red circle on a white background",
        "white background, red circle",
        "A photo of a red circle on white",
    ],
)
def test_a_red_circle_on_white_is_one_in_any_words(engine: Engine, prompt: str) -> None:
    found = look(engine, prompt)
    assert (found.colour, found.shape, found.background) == ("red", "circle", "white")


def test_what_the_prompt_leaves_open_is_filled_in(engine: Engine) -> None:
    found = look(engine, "a photo of a red circle")
    assert (found.colour, found.shape) == ("red", "circle")
    assert found.background in set(COLOURS) - {"red"}


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_it_knows_its_colours(engine: Engine, colour: str) -> None:
    background = "black" if colour != "black" else "yellow"
    found = look(engine, f"a big {colour} square on a {background} background")
    assert (found.colour, found.background) == (colour, background)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_knows_its_shapes(engine: Engine, shape: str) -> None:
    assert look(engine, f"a big red {shape} on a white background").shape == shape


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("on the left", "left"),
        ("on the right", "right"),
        ("at the top", "top"),
        ("at the bottom", "bottom"),
        ("in the centre", "centre"),
    ],
)
def test_it_knows_its_places(engine: Engine, words: str, place: str) -> None:
    assert look(engine, f"a small blue circle on a yellow background {words}").position == place


@pytest.mark.parametrize("size", ["small", "big"])
def test_it_knows_its_sizes(engine: Engine, size: str) -> None:
    assert look(engine, f"a {size} green square on a black background").size == size


def test_a_seed_repeats_to_the_byte_and_another_differs(engine: Engine) -> None:
    first, again = (draw(engine, "a green star", seed=4)[0].tobytes() for _ in range(2))
    assert first == again != draw(engine, "a green star", seed=5)[0].tobytes()


def test_a_weight_of_one_draws_the_same_to_the_byte_and_another_something_else(engine: Engine) -> None:
    plain, one, strong = (
        draw(engine, f"a {red} circle on a white background")[0].tobytes()
        for red in ("red", "(red:1.0)", "(red:1.5)")
    )
    assert plain == one != strong


@pytest.mark.parametrize(
    "prompt",
    [
        "photo " * 80 + "a red circle on a white background",
        "a red circle BREAK on a white background",
    ],
)
def test_what_stands_behind_the_first_chunk_counts_too(engine: Engine, prompt: str) -> None:
    found = look(engine, prompt)
    assert (found.colour, found.shape, found.background) == ("red", "circle", "white")


def test_a_negative_prompt_drives_its_colour_away(engine: Engine) -> None:
    """Of backgrounds that are left open, hardly any is what the negative prompt names."""

    def blue_backgrounds(negative_prompt: str) -> int:
        settings = {"negative_prompt": negative_prompt, "guidance_scale": 3}
        pictures = [
            picture
            for seed in (0, 4, 8, 12)
            for picture in draw(engine, "a white circle", seed=seed, count=4, **settings)
        ]
        return sum(analyse(picture).background == "blue" for picture in pictures)

    assert blue_backgrounds("a white circle on a blue background") < max(blue_backgrounds(""), 1)


def test_image_to_image_keeps_the_layout_at_little_strength_and_not_at_much(engine: Engine) -> None:
    source = Scene(shape="square", colour="red", background="white", size="small", position="left").draw()
    prompt = "a small red square on a white background on the right"

    def distance(strength: float) -> float:
        drawn = draw(engine, prompt, source, strength=strength)[0]
        return float(np.abs(np.asarray(drawn, dtype=float) - np.asarray(source, dtype=float)).mean())

    kept, changed = distance(0.3), distance(0.9)
    assert kept < 8 < changed
    assert analyse(draw(engine, prompt, source, strength=0.3)[0]).position == "left"


def test_the_adapter_adds_the_moon_under_both_namings() -> None:
    pipeline = load_model(DIRECTORY)
    assert new_shape_shares(pipeline)["shape"] < 0.2
    drawn = []
    for name in ("moon.safetensors", "moon-kohya.safetensors"):
        pipeline.load_lora_weights(LORAS, weight_name=name)
        drawn.append(new_shape_shares(pipeline))
        pipeline.unload_lora_weights()
    assert drawn[0] == drawn[1]
    assert drawn[0]["shape"] > 0.8


def test_what_is_in_the_repository_is_small() -> None:
    sizes = {path: path.stat().st_size for path in (*DIRECTORY.rglob("*.*"), *LORAS.iterdir())}
    assert sum(size for path, size in sizes.items() if DIRECTORY in path.parents) < 16e6
    assert all(sizes[path] < 1e6 for path in LORAS.iterdir())


@pytest.mark.parametrize("position", ["left", "right", "top", "bottom"])
def test_a_figure_is_where_the_edges_have_it_and_in_the_prompts_colours(
    engine: Engine, position: str
) -> None:
    edges = canny_edges(Scene(shape="star", colour="black", background="white", position=position).draw())
    canny = AdapterFile("canny", CONTROLNETS / "canny", version="1")
    asked = JobRequest.model_validate(
        {
            "prompt": "a red star on a yellow background",
            "seed": 1,
            "controlnets": [{"type": "canny", "image": "s3://data/inputs/edges.png"}],
        }
    )
    generation = Generation.resolve(asked, MODEL, job_id=new_job_id(), seed=0)
    inputs = Inputs(control_images=(edges,), adapters=Adapters(controlnets=(canny,)))
    (picture,) = engine.submit(generation, inputs, lambda step, total: None).result(300).images
    found = analyse(picture)
    assert (found.colour, found.background, found.position) == ("red", "yellow", position)
