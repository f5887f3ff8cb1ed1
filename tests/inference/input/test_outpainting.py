import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.options import Outpaint
from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.outpainting import extend_canvas, outpaint_mask, resize_for_canvas
from tests.inference.input.image_files import noise

MODEL = ModelDeclaration(
    name="demo", defaults=ModelDefaults(width=128, height=128), limits=ModelLimits(min_size=64, max_size=256)
)
BORDERS = st.integers(0, 8).map(lambda latents: latents * 8)
OUTPAINTS = (
    st.tuples(BORDERS, BORDERS, BORDERS, BORDERS)
    .filter(any)
    .map(lambda borders: Outpaint(left=borders[0], right=borders[1], top=borders[2], bottom=borders[3]))
)
SIDES = st.integers(1, 16).map(lambda latents: latents * 8)


def test_an_image_with_sides_that_are_multiples_of_8_is_not_changed() -> None:
    image = noise((136, 72))
    assert resize_for_canvas(image, Outpaint(left=8), MODEL).tobytes() == image.tobytes()


def test_another_image_is_resized_to_multiples_of_8() -> None:
    assert resize_for_canvas(noise((101, 99)), Outpaint(left=8), MODEL).size == (104, 96)


def test_an_image_above_the_limits_is_resized_to_the_models_default_area() -> None:
    assert resize_for_canvas(noise((400, 400)), Outpaint(left=64), MODEL).size == (128, 128)


@pytest.mark.parametrize(
    ("size", "outpaint"),
    [
        ((256, 256), Outpaint(left=8)),
        ((128, 128), Outpaint(top=72, bottom=64)),
        ((16, 64), Outpaint(right=8)),
    ],
)
def test_a_canvas_outside_the_models_limits_is_refused(size: tuple[int, int], outpaint: Outpaint) -> None:
    with pytest.raises(InputError, match="sides between 64 and 256 pixels") as caught:
        resize_for_canvas(noise(size), outpaint, MODEL)
    assert caught.value.code is ErrorCode.VALIDATION_FAILED
    assert [error.pointer for error in caught.value.errors] == ["#/outpaint"]


@pytest.mark.parametrize(
    ("size", "outpaint"),
    [
        ((248, 256), Outpaint(left=8)),
        ((128, 128), Outpaint(top=64, bottom=64)),
        ((56, 64), Outpaint(right=8)),
    ],
)
def test_a_canvas_at_the_limits_is_accepted(size: tuple[int, int], outpaint: Outpaint) -> None:
    assert resize_for_canvas(noise(size), outpaint, MODEL).size == size


@given(st.tuples(SIDES, SIDES), OUTPAINTS)
def test_the_canvas_contains_the_image_unchanged(size: tuple[int, int], outpaint: Outpaint) -> None:
    image = noise(size)
    canvas = extend_canvas(image, outpaint)
    left, top = outpaint.left, outpaint.top
    assert canvas.size == (size[0] + left + outpaint.right, size[1] + top + outpaint.bottom)
    assert canvas.crop((left, top, left + size[0], top + size[1])).tobytes() == image.tobytes()
    assert extend_canvas(image, outpaint).tobytes() == canvas.tobytes()


def test_the_colors_of_the_edges_are_continued() -> None:
    image = Image.new("RGB", (64, 64), "red")
    image.paste("blue", (32, 0, 64, 64))
    canvas = np.asarray(extend_canvas(image, Outpaint(left=64, right=64)), dtype=float)
    assert np.abs(canvas[:, :48].mean(axis=(0, 1)) - (255, 0, 0)).max() < 10
    assert np.abs(canvas[:, -48:].mean(axis=(0, 1)) - (0, 0, 255)).max() < 10


@given(st.tuples(SIDES, SIDES), OUTPAINTS, st.integers(0, 72))
def test_the_mask_selects_the_borders_and_a_strip_of_the_image(
    size: tuple[int, int], outpaint: Outpaint, overlap: int
) -> None:
    mask = outpaint_mask(size, outpaint, overlap=overlap)
    assert mask.size == (size[0] + outpaint.left + outpaint.right, size[1] + outpaint.top + outpaint.bottom)
    black = np.asarray(mask) == 0
    left, top, right, bottom = mask.point(lambda value: 255 - value).getbbox() or (0, 0, 0, 0)
    assert black.sum() == (right - left) * (bottom - top)
    for start, border, side in ((left, outpaint.left, size[0]), (top, outpaint.top, size[1])):
        assert start % 8 == 0
        assert start - border in ([0] if border == 0 else range(side // 4 + 1))
    for end, border, start, side in (
        (right, outpaint.right, outpaint.left, size[0]),
        (bottom, outpaint.bottom, outpaint.top, size[1]),
    ):
        assert start + side - end in ([0] if border == 0 else range(side // 4 + 1))


def test_the_overlap_is_rounded_up_to_whole_latents() -> None:
    mask = outpaint_mask((128, 128), Outpaint(left=64), overlap=12)
    assert mask.point(lambda value: 255 - value).getbbox() == (80, 0, 192, 128)
