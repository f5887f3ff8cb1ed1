import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.mask import check_shape, frame_mask, whole_latents
from inference.input.resizing import Framing

SIZE = (64, 64)


def framed(mask: Image.Image, size: tuple[int, int] = SIZE) -> Image.Image:
    return frame_mask(mask, Framing.of(mask.size, size))


def half(mode: str, left: object, right: object, size: tuple[int, int] = SIZE) -> Image.Image:
    mask = Image.new(mode, size, left)
    mask.paste(right, (size[0] // 2, 0, *size))
    return mask


@pytest.mark.parametrize(
    ("mode", "left", "right"),
    [
        ("RGB", "black", "white"),
        ("RGB", (120, 120, 120), (140, 140, 140)),
        ("RGBA", (0, 0, 0, 255), (255, 255, 255, 255)),
        ("RGBA", (255, 255, 255, 0), (0, 0, 0, 255)),
        ("RGBA", (255, 255, 255, 100), (255, 0, 0, 200)),
    ],
    ids=["black and white", "greys", "opaque", "black paint", "translucent"],
)
def test_white_is_drawn_anew_or_what_is_opaque_where_there_is_transparency(
    mode: str, left: object, right: object
) -> None:
    assert framed(half(mode, left, right)).tobytes() == half("L", 0, 255).tobytes()


@pytest.mark.parametrize("scale", [0.25, 0.5, 2, 3])
def test_a_mask_of_another_size_covers_the_same_part(scale: float) -> None:
    mask = half("RGB", "black", "white", (round(64 * scale), round(64 * scale)))
    assert framed(mask).tobytes() == half("L", 0, 255).tobytes()


def test_a_mask_is_cropped_as_its_picture_is() -> None:
    mask = Image.new("RGB", (192, 64))
    mask.paste("white", (64, 0, 128, 64))
    assert framed(mask).getextrema() == (255, 255)


def test_a_white_mask_draws_everything_anew() -> None:
    assert framed(Image.new("RGB", (9, 9), "white")).getextrema() == (255, 255)


@pytest.mark.parametrize(
    "mask",
    [
        Image.new("RGB", SIZE),
        Image.new("RGB", SIZE, (127, 127, 127)),
        Image.new("RGBA", SIZE, (255, 255, 255, 0)),
    ],
    ids=["black", "grey", "transparent"],
)
def test_a_mask_that_leaves_nothing_to_draw_is_refused(mask: Image.Image) -> None:
    with pytest.raises(InputError, match="mask_image: leaves nothing to draw") as caught:
        framed(mask)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE


@pytest.mark.parametrize(
    ("mask", "picture"),
    [
        ((64, 64), (64, 64)),
        ((4000, 3000), (400, 300)),
        ((133, 100), (4000, 3000)),
        ((592, 440), (4000, 3000)),
        ((1, 1), (1, 1)),
    ],
)
def test_masks_of_the_pictures_shape_are_taken(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    check_shape(mask, picture)


@pytest.mark.parametrize(
    ("mask", "picture"),
    [((64, 64), (64, 80)), ((512, 512), (592, 440)), ((300, 400), (400, 300)), ((1000, 1050), (1000, 1000))],
)
def test_masks_of_another_shape_are_refused(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="another shape") as caught:
        check_shape(mask, picture)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE
    assert [error.pointer for error in caught.value.errors] == ["#/mask_image"]


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0.1, 8))
def test_a_scaled_picture_has_its_own_shape(width: int, height: int, scale: float) -> None:
    check_shape((max(round(width * scale), 1), max(round(height * scale), 1)), (width, height))


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(0, 39)), min_size=1, max_size=4))
def test_whole_latents_cover_the_mask_and_nothing_they_do_not_touch(pixels: list[tuple[int, int]]) -> None:
    mask = Image.new("L", (64, 40))
    ImageDraw.Draw(mask).point(pixels, fill=255)
    grown = np.asarray(whole_latents(mask))
    touched = {(x // 8, y // 8) for x, y in pixels}
    for column in range(8):
        for row in range(5):
            block = grown[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
            assert (block == (255 if (column, row) in touched else 0)).all()
