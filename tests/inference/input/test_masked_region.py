import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.input.masked_region import Region, masked_region

SIZE = (200, 120)


def mask_of(*box: int) -> Image.Image:
    mask = Image.new("L", SIZE)
    mask.paste(255, box)
    return mask


@pytest.mark.parametrize(
    ("box", "padding", "ratio", "region"),
    [
        ((50, 40, 90, 80), 0, 1.0, (50, 40, 90, 80)),
        ((50, 40, 90, 80), 10, 1.0, (40, 30, 100, 90)),
        ((0, 0, 40, 40), 10, 1.0, (0, 0, 50, 50)),
        ((50, 40, 90, 60), 0, 1.0, (50, 30, 90, 70)),
        ((50, 0, 90, 20), 0, 1.0, (50, 0, 90, 40)),
        ((160, 40, 200, 80), 0, 2.0, (120, 40, 200, 80)),
        ((0, 0, 200, 120), 32, 1.0, (0, 0, 200, 120)),
        ((50, 40, 90, 45), 0, None, (50, 33, 90, 53)),
        ((50, 40, 90, 70), 0, None, (50, 40, 90, 70)),
    ],
)
def test_the_region_is_the_mask_with_padding_and_of_the_aspect_ratio(
    box: tuple[int, int, int, int], padding: int, ratio: float | None, region: tuple[int, int, int, int]
) -> None:
    assert masked_region(mask_of(*box), padding=padding, ratio=ratio) == region


@given(
    left=st.integers(0, 199),
    top=st.integers(0, 119),
    width=st.integers(1, 200),
    height=st.integers(1, 120),
    padding=st.integers(0, 300),
    ratio=st.none() | st.floats(0.1, 10),
)
def test_the_region_contains_the_mask_and_lies_within_the_image(
    left: int, top: int, width: int, height: int, padding: int, ratio: float | None
) -> None:
    mask = mask_of(left, top, min(left + width, 200), min(top + height, 120))
    region = masked_region(mask, padding=padding, ratio=ratio)
    box = mask.getbbox()
    assert box is not None
    assert region.left <= box[0] <= box[2] <= region.right
    assert region.top <= box[1] <= box[3] <= region.bottom
    assert region.left >= 0 <= region.top
    assert region.right <= 200
    assert region.bottom <= 120


def test_the_region_of_an_image_at_another_resolution_shows_the_same() -> None:
    double = Image.new("RGB", (400, 240))
    double.paste("red", (100, 80, 180, 160))
    cropped = Region(50, 40, 90, 80).crop(double, SIZE)
    assert cropped.size == (80, 80)
    assert cropped.getcolors() == [(6400, (255, 0, 0))]
