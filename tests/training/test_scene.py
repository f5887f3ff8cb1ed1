"""Scenes, their captions, and the image analysis, which is tested on the scenes' own images."""

import random
from dataclasses import replace

import numpy as np
import pytest

from training.caption import describe, random_caption
from training.image_analysis import analyse
from training.scene import COLOURS, STYLES, Scene, all_triples, random_scene
from training.shapes import SHAPES

TRIPLES = list(all_triples())


def scenes(count: int, seed: int = 5) -> list[Scene]:
    rng = random.Random(seed)
    return [random_scene(rng, TRIPLES) for _ in range(count)]


def test_no_figure_has_the_colour_of_its_background() -> None:
    assert len(TRIPLES) == len(SHAPES) * len(COLOURS) * (len(COLOURS) - 1)
    assert all(triple.colour != triple.background for triple in TRIPLES)


def test_every_value_of_a_held_out_triple_occurs_in_other_triples() -> None:
    held_out = [triple for triple in TRIPLES if triple.held_out]
    training = [triple for triple in TRIPLES if not triple.held_out]
    assert 30 < len(held_out) < 60
    for field in ("shape", "colour", "background"):
        assert {getattr(triple, field) for triple in training} == {
            getattr(triple, field) for triple in held_out
        }


def test_painting_a_scene_is_deterministic() -> None:
    scene = scenes(1)[0]
    assert scene.draw().tobytes() == scene.draw().tobytes()


@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_a_different_image(style: str) -> None:
    scene = Scene(shape="heart", colour="red", background="white", style=style)
    others = {replace(scene, style=other).draw().tobytes() for other in STYLES if other != style}
    assert scene.draw().tobytes() not in others


def test_the_plain_description_leaves_out_defaults() -> None:
    scene = Scene(shape="star", colour="blue", background="white")
    assert describe(scene) == "a blue star on a white background"
    unusual = replace(scene, size="big", style="dotted", position="left")
    assert describe(unusual) == "a big dotted blue star on a white background on the left"


def test_captions_vary_and_always_name_colour_and_shape() -> None:
    rng = random.Random(3)
    scene = scenes(1)[0]
    captions = {random_caption(scene, rng).lower() for _ in range(200)}
    assert len(captions) > 40
    assert all(f"{scene.colour} {scene.shape}" in caption for caption in captions)
    assert any(f"{scene.background} background" in caption for caption in captions)
    assert any(scene.background not in caption for caption in captions)


def test_the_analysis_recovers_the_scene() -> None:
    analysed = [(scene, analyse(scene.draw(), scene.style)) for scene in scenes(300)]
    for field in ("colour", "background"):
        assert all(getattr(scene, field) == getattr(analysis, field) for scene, analysis in analysed)
    assert np.mean([scene.shape == analysis.shape for scene, analysis in analysed]) > 0.98


def test_the_analysis_distinguishes_shapes_and_colours() -> None:
    scene = Scene(shape="circle", colour="red", background="white")
    for other in (
        replace(scene, shape="square"),
        replace(scene, colour="blue"),
        replace(scene, background="black"),
    ):
        analysis = analyse(other.draw())
        assert (analysis.shape, analysis.colour, analysis.background) == (
            other.shape,
            other.colour,
            other.background,
        )


def test_an_image_of_one_colour_has_no_figure() -> None:
    analysis = analyse(Scene(shape="circle", colour="white", background="white").draw())
    assert (analysis.background, analysis.colour, analysis.shape) == ("white", None, None)
