"""Captions of scenes, in varied words."""

import random

from training.scene import Scene

_OPENINGS = ("a photo of ", "a picture of ", "a drawing of ", "an image of ", "there is ", "")
_SIZES = {"small": ("small", "tiny", "little"), "big": ("big", "large", "huge"), "medium": ("medium",)}
_POSITIONS = {
    "centre": ("in the centre", "in the middle", "in the center"),
    "left": ("on the left", "at the left", "on the left side"),
    "right": ("on the right", "at the right", "on the right side"),
    "top": ("at the top", "on top", "in the upper half"),
    "bottom": ("at the bottom", "below", "in the lower half"),
}


def describe(scene: Scene) -> str:
    """The plain description, which leaves out the defaults: filled, medium-sized, in the centre."""
    words = [scene.size if scene.size != "medium" else "", scene.style if scene.style != "filled" else ""]
    words += [scene.colour, scene.shape]
    figure = " ".join(word for word in words if word)
    position = f" {_POSITIONS[scene.position][0]}" if scene.position != "centre" else ""
    return f"a {figure} on a {scene.background} background{position}"


def random_caption(scene: Scene, rng: random.Random) -> str:
    """One of many descriptions; some leave out the background, the size or the position."""
    figure = f"{_figure(scene, rng)}{_position(scene, rng)}"
    background = f"{scene.background} background"
    form = rng.random()
    if form < 0.45:
        text = f"{rng.choice(_OPENINGS)}a {figure} on a {background}"
    elif form < 0.55:
        text = f"{rng.choice(_OPENINGS)}a {_figure(scene, rng)} on a {background}{_position(scene, rng)}"
    elif form < 0.65:
        text = f"{scene.background} background, {figure}"
    elif form < 0.75:
        text = f"{figure}, {background}"
    elif form < 0.85:
        text = f"{rng.choice(_OPENINGS)}a {figure} on {scene.background}"
    else:
        text = f"{rng.choice(_OPENINGS)}a {figure}"
    return text.capitalize() if rng.random() < 0.1 else text


def _figure(scene: Scene, rng: random.Random) -> str:
    words = []
    if scene.size != "medium" or rng.random() < 0.05:
        words.append(rng.choice(_SIZES[scene.size]))
    if scene.style != "filled":
        words.append(scene.style)
    return " ".join([*words, scene.colour, scene.shape])


def _position(scene: Scene, rng: random.Random) -> str:
    if scene.position == "centre" and rng.random() < 0.8:
        return ""
    return f" {rng.choice(_POSITIONS[scene.position])}"
