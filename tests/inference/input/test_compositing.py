import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inference.input.compositing import Kept, feather
from tests.inference.input.image_files import noise

WIDTH, HEIGHT = 24, 20
BLURS = st.integers(0, 8)


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """Black, with up to three white rectangles."""
    mask = Image.new("L", (WIDTH, HEIGHT))
    for _ in range(draw(st.integers(1, 3))):
        left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
        mask.paste(255, (left, top, draw(st.integers(left, WIDTH)), draw(st.integers(top, HEIGHT))))
    return mask


def distance_to_black(mask: np.ndarray) -> np.ndarray:
    """In pixels, one by one; infinite where there is none."""
    ys, xs = np.nonzero(mask == 0)
    if not len(ys):
        return np.full(mask.shape, np.inf)
    rows, columns = np.indices(mask.shape)
    away = np.hypot(rows[..., None] - ys, columns[..., None] - xs)
    return np.asarray(away.min(axis=-1))


@settings(deadline=None)  # the first one waits for OpenCV
@given(masks(), BLURS)
def test_outside_the_mask_all_is_kept_and_deep_inside_all_is_drawn_to_the_byte(
    mask: Image.Image, blur: int
) -> None:
    picture, drawn = noise(mask.size, 1), noise(mask.size, 2)
    finished = np.asarray(Kept(picture, feather(mask, blur)).put_back(drawn))
    distance = distance_to_black(np.asarray(mask))
    outside, deep = distance == 0, distance >= blur + 0.5
    assert (finished[outside] == np.asarray(picture)[outside]).all()
    assert (finished[deep] == np.asarray(drawn)[deep]).all()


@settings(deadline=None)  # the first one waits for OpenCV
@given(masks(), st.integers(1, 8))
def test_the_share_of_what_is_drawn_grows_with_the_depth(mask: Image.Image, blur: int) -> None:
    distance, share = distance_to_black(np.asarray(mask)), feather(mask, blur)
    assert share.shape == (HEIGHT, WIDTH)
    order = np.argsort(distance, axis=None)
    assert (np.diff(share.ravel()[order]) > -1e-5).all()
    between = (distance > 0) & (distance < blur)
    assert ((share[between] > 0) & (share[between] < 1)).all()


@settings(deadline=None)  # the first one waits for OpenCV
@given(masks())
def test_without_a_blur_the_mask_is_cut_out(mask: Image.Image) -> None:
    assert (feather(mask, 0) == np.asarray(mask) / 255).all()


@settings(deadline=None)  # the first one waits for OpenCV
@given(masks(), BLURS)
def test_what_was_not_changed_is_not_changed_by_putting_it_back(mask: Image.Image, blur: int) -> None:
    picture = noise(mask.size)
    assert Kept(picture, feather(mask, blur)).put_back(picture).tobytes() == picture.tobytes()


def test_the_seam_is_a_soft_step() -> None:
    mask = Image.new("L", (40, 1))
    mask.paste(255, (10, 0, 40, 1))
    share = feather(mask, 8)[0]
    assert list(share[:10]) == [0] * 10
    assert list(share[18:]) == [1] * 22
    assert share[13] + share[14] == pytest.approx(1)
    assert np.abs(np.diff(share)).max() < 0.2
