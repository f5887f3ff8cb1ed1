import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.input.compositing import Compositor, feather
from tests.inference.input.image_files import noise

WIDTH, HEIGHT = 24, 20
BLURS = st.integers(0, 8)


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """Masks with up to three white rectangles on black."""
    mask = Image.new("L", (WIDTH, HEIGHT))
    for _ in range(draw(st.integers(1, 3))):
        left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
        mask.paste(255, (left, top, draw(st.integers(left, WIDTH)), draw(st.integers(top, HEIGHT))))
    return mask


def distance_to_black(mask: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the nearest black one, by brute force; infinite without any."""
    ys, xs = np.nonzero(mask == 0)
    if not len(ys):
        return np.full(mask.shape, np.inf)
    rows, columns = np.indices(mask.shape)
    away = np.hypot(rows[..., None] - ys, columns[..., None] - xs)
    return np.asarray(away.min(axis=-1))


@settings(deadline=None)  # the first example imports OpenCV
@given(masks(), BLURS)
def test_pixels_outside_the_mask_are_the_originals_and_those_well_inside_the_generated_ones(
    mask: Image.Image, blur: int
) -> None:
    original, generated = noise(mask.size, 1), noise(mask.size, 2)
    finished = np.asarray(Compositor(original, feather(mask, blur)).composite(generated))
    distance = distance_to_black(np.asarray(mask))
    outside, deep = distance == 0, distance >= blur + 0.5
    assert (finished[outside] == np.asarray(original)[outside]).all()
    assert (finished[deep] == np.asarray(generated)[deep]).all()


@settings(deadline=None)  # the first example imports OpenCV
@given(masks(), st.integers(1, 8))
def test_the_weight_of_the_generated_image_grows_with_the_distance_to_the_border(
    mask: Image.Image, blur: int
) -> None:
    distance, weight = distance_to_black(np.asarray(mask)), feather(mask, blur)
    assert weight.shape == (HEIGHT, WIDTH)
    order = np.argsort(distance, axis=None)
    assert (np.diff(weight.ravel()[order]) > -1e-5).all()
    between = (distance > 0) & (distance < blur)
    assert ((weight[between] > 0) & (weight[between] < 1)).all()


@settings(deadline=None)  # the first example imports OpenCV
@given(masks())
def test_without_mask_blur_the_weight_is_the_mask(mask: Image.Image) -> None:
    assert (feather(mask, 0) == np.asarray(mask) / 255).all()


@settings(deadline=None)  # the first example imports OpenCV
@given(masks(), BLURS)
def test_compositing_an_unchanged_image_changes_nothing(mask: Image.Image, blur: int) -> None:
    original = noise(mask.size)
    composed = Compositor(original, feather(mask, blur)).composite(original)
    assert composed.tobytes() == original.tobytes()


def test_the_transition_is_a_smoothstep() -> None:
    mask = Image.new("L", (40, 1))
    mask.paste(255, (10, 0, 40, 1))
    weight = feather(mask, 8)[0]
    assert list(weight[:10]) == [0] * 10
    assert list(weight[18:]) == [1] * 22
    assert weight[13] + weight[14] == pytest.approx(1)
    assert np.abs(np.diff(weight)).max() < 0.2
