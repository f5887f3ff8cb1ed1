import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.mask import check_aspect_ratio, expand_to_latents, prepare_mask, resize_mask
from inference.input.resizing import CropResize

SIZE = (64, 64)


def prepared(mask: Image.Image, size: tuple[int, int] = SIZE) -> Image.Image:
    return prepare_mask(mask, CropResize.between(mask.size, size))


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
    ids=["black and white", "grays", "opaque", "black on transparent", "translucent"],
)
def test_white_pixels_or_the_opaque_ones_of_a_transparent_mask_are_selected(
    mode: str, left: object, right: object
) -> None:
    assert prepared(half(mode, left, right)).tobytes() == half("L", 0, 255).tobytes()


@pytest.mark.parametrize("scale", [0.25, 0.5, 2, 3])
def test_a_mask_of_another_size_selects_the_same_part(scale: float) -> None:
    mask = half("RGB", "black", "white", (round(64 * scale), round(64 * scale)))
    assert prepared(mask).tobytes() == half("L", 0, 255).tobytes()


def with_transparent_corner(pixels: int) -> Image.Image:
    """A mask whose right half is white, with so many transparent pixels in its white corner."""
    mask = half("RGBA", (0, 0, 0, 255), (255, 255, 255, 255))
    for index in range(pixels):
        mask.putpixel((63 - index % 8, index // 8), (255, 255, 255, 0))
    return mask


def test_a_few_transparent_pixels_do_not_turn_the_alpha_channel_into_the_mask() -> None:
    selected = np.asarray(prepared(with_transparent_corner(40)))
    assert not selected[:, :32].any()
    assert (selected[:, 32:] == 0).sum() == 40


def test_a_mask_with_a_transparent_area_is_its_alpha_channel() -> None:
    selected = np.asarray(prepared(with_transparent_corner(41)))
    assert selected[:, :32].all()
    assert (selected == 0).sum() == 41


def test_an_inverted_mask_selects_the_rest() -> None:
    mask = half("RGB", "black", "white")
    inverted = prepare_mask(mask, CropResize(SIZE, (1.0, 1.0)), invert=True)
    assert inverted.tobytes() == half("L", 255, 0).tobytes()
    with pytest.raises(InputError, match="black or transparent, since mask_invert is true"):
        prepare_mask(Image.new("RGB", SIZE, "white"), CropResize(SIZE, (1.0, 1.0)), invert=True)


def holed(pixels: int) -> Image.Image:
    """A dark image with so many transparent pixels in a row."""
    mask = Image.new("RGBA", SIZE, (20, 20, 20, 255))
    for index in range(pixels):
        mask.putpixel((index, 7), (0, 0, 0, 0))
    return mask


def test_the_alpha_channel_is_the_mask_however_few_pixels_are_transparent() -> None:
    crop_resize = CropResize(SIZE, (1.0, 1.0))
    selected = np.asarray(prepare_mask(holed(3), crop_resize, invert=True, alpha=True))
    assert selected[7, :3].all()
    assert (selected > 0).sum() == 3
    assert (np.asarray(prepare_mask(holed(3), crop_resize, alpha=True)) == 0).sum() == 3


@pytest.mark.parametrize("mask", [holed(0), Image.new("RGB", SIZE)], ids=["opaque", "without alpha"])
def test_of_a_mask_without_transparent_pixels_the_alpha_channel_is_opaque(mask: Image.Image) -> None:
    crop_resize = CropResize(SIZE, (1.0, 1.0))
    assert prepare_mask(mask, crop_resize, alpha=True).getextrema() == (255, 255)
    with pytest.raises(InputError, match="selects nothing; paint the areas to regenerate transparent"):
        prepare_mask(mask, crop_resize, invert=True, alpha=True)


def test_a_transparent_alpha_channel_selects_nothing() -> None:
    mask = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    with pytest.raises(InputError, match="paint the areas to regenerate opaque, since mask_alpha is true"):
        prepare_mask(mask, CropResize(SIZE, (1.0, 1.0)), alpha=True)


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (200, 130)])
def test_a_resized_mask_selects_whatever_the_original_does(size: tuple[int, int]) -> None:
    mask = Image.new("L", SIZE)
    mask.putpixel((40, 20), 255)
    resized = np.asarray(resize_mask(mask, size))
    assert resized[41 * size[1] // 128, 81 * size[0] // 128] == 255
    assert set(np.unique(resized)) == {0, 255}


def test_a_mask_is_cropped_like_its_image() -> None:
    mask = Image.new("RGB", (192, 64))
    mask.paste("white", (64, 0, 128, 64))
    assert prepared(mask).getextrema() == (255, 255)


def test_a_mask_of_middle_gray_selects_everything() -> None:
    assert prepared(Image.new("RGB", SIZE, (128, 128, 128))).getextrema() == (255, 255)


def test_a_white_mask_selects_everything() -> None:
    assert prepared(Image.new("RGB", (9, 9), "white")).getextrema() == (255, 255)


@pytest.mark.parametrize(
    "mask",
    [
        Image.new("RGB", SIZE),
        Image.new("RGB", SIZE, (127, 127, 127)),
        Image.new("RGBA", SIZE, (255, 255, 255, 0)),
    ],
    ids=["black", "gray", "transparent"],
)
def test_a_mask_that_selects_nothing_is_refused(mask: Image.Image) -> None:
    with pytest.raises(InputError, match="mask_image: the mask selects nothing") as caught:
        prepared(mask)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE


@pytest.mark.parametrize(
    ("mask", "image"),
    [
        ((64, 64), (64, 64)),
        ((4000, 3000), (400, 300)),
        ((133, 100), (4000, 3000)),
        ((592, 440), (4000, 3000)),
        ((1000, 1019), (1000, 1000)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_mask_of_the_images_aspect_ratio_is_accepted(mask: tuple[int, int], image: tuple[int, int]) -> None:
    check_aspect_ratio(mask, image)


@pytest.mark.parametrize(
    ("mask", "image"),
    [((64, 64), (64, 80)), ((512, 512), (592, 440)), ((300, 400), (400, 300)), ((1000, 1030), (1000, 1000))],
)
def test_a_mask_of_another_aspect_ratio_is_refused(mask: tuple[int, int], image: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="send a mask of the same aspect ratio") as caught:
        check_aspect_ratio(mask, image)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE
    assert [error.pointer for error in caught.value.errors] == ["#/mask_image"]


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0.1, 8))
def test_a_scaled_image_has_the_same_aspect_ratio(width: int, height: int, scale: float) -> None:
    check_aspect_ratio((max(round(width * scale), 1), max(round(height * scale), 1)), (width, height))


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(0, 39)), min_size=1, max_size=4))
def test_the_expanded_mask_consists_of_the_latents_that_contain_a_pixel(
    pixels: list[tuple[int, int]],
) -> None:
    mask = Image.new("L", (64, 40))
    ImageDraw.Draw(mask).point(pixels, fill=255)
    expanded = np.asarray(expand_to_latents(mask))
    touched = {(x // 8, y // 8) for x, y in pixels}
    for column in range(8):
        for row in range(5):
            block = expanded[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
            assert (block == (255 if (column, row) in touched else 0)).all()
