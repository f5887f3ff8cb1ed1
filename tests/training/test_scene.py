"""The pictures, their captions, and the examination that will judge the network: here it judges the truth."""

import random
from dataclasses import replace

import numpy as np
import pytest

from training.caption import describe, random_caption
from training.image_analysis import examine
from training.scene import COLOURS, SHAPES, STYLES, Scene, all_triples, random_scene

TRIPLES = list(all_triples())


def scenes(count: int, seed: int = 5) -> list[Scene]:
    rng = random.Random(seed)
    return [random_scene(rng, TRIPLES) for _ in range(count)]


def test_no_figure_has_the_colour_of_its_background() -> None:
    assert len(TRIPLES) == len(SHAPES) * len(COLOURS) * (len(COLOURS) - 1)
    assert all(triple.colour != triple.background for triple in TRIPLES)


def test_some_triples_are_held_out_and_every_part_of_them_is_shown_otherwise() -> None:
    held_out = [triple for triple in TRIPLES if triple.held_out]
    shown = [triple for triple in TRIPLES if not triple.held_out]
    assert 30 < len(held_out) < 60
    for part in ("shape", "colour", "background"):
        assert {getattr(triple, part) for triple in shown} == {getattr(triple, part) for triple in held_out}


def test_a_scene_is_drawn_the_same_every_time() -> None:
    scene = scenes(1)[0]
    assert scene.draw().tobytes() == scene.draw().tobytes()


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_a_shape_looks_different(style: str) -> None:
    scene = Scene(shape="heart", colour="red", background="white", style=style)
    others = {replace(scene, style=other).draw().tobytes() for other in STYLES if other != style}
    assert scene.draw().tobytes() not in others


def test_the_plain_description_says_what_is_unusual() -> None:
    scene = Scene(shape="star", colour="blue", background="white")
    assert describe(scene) == "a blue star on a white background"
    unusual = replace(scene, size="big", style="dotted", position="left")
    assert describe(unusual) == "a big dotted blue star on a white background on the left"


def test_captions_vary_and_always_name_the_figure() -> None:
    rng = random.Random(3)
    scene = scenes(1)[0]
    captions = {random_caption(scene, rng).lower() for _ in range(200)}
    assert len(captions) > 40
    assert all(f"{scene.colour} {scene.shape}" in caption for caption in captions)
    assert any(f"{scene.background} background" in caption for caption in captions)
    assert any(scene.background not in caption for caption in captions)


def test_the_examination_finds_what_was_drawn() -> None:
    found = [(scene, examine(scene.draw(), scene.style)) for scene in scenes(300)]
    for part in ("colour", "background"):
        assert all(getattr(scene, part) == getattr(finding, part) for scene, finding in found)
    assert np.mean([scene.shape == finding.shape for scene, finding in found]) > 0.98


def test_the_examination_is_not_fooled_by_a_picture_of_something_else() -> None:
    scene = Scene(shape="circle", colour="red", background="white")
    for other in (
        replace(scene, shape="square"),
        replace(scene, colour="blue"),
        replace(scene, background="black"),
    ):
        finding = examine(other.draw())
        assert (finding.shape, finding.colour, finding.background) == (
            other.shape,
            other.colour,
            other.background,
        )


def test_an_empty_picture_has_no_figure() -> None:
    finding = examine(Scene(shape="circle", colour="white", background="white").draw())
    assert (finding.background, finding.colour, finding.shape) == ("white", None, None)
