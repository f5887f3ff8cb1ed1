import pytest
from PIL import Image, ImageChops

from inference.output.watermark import Watermark, WatermarkError

TEXT = "Drawn by a machine"


def changed(picture: Image.Image, text: str = TEXT) -> tuple[int, int, int, int]:
    box = ImageChops.difference(Watermark(text).mark(picture), picture).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("side", [256, 512, 1024, 4096])
def test_it_is_in_the_lower_right_corner_and_grows_with_the_picture(side: int) -> None:
    left, top, right, bottom = changed(Image.new("RGB", (side, side), "grey"))
    assert left > side / 2
    assert top > side * 0.9
    assert side * 0.95 < right < side
    assert side * 0.95 < bottom < side
    assert (bottom - top) / side == pytest.approx(1 / 28, rel=0.5)


@pytest.mark.parametrize("background", ["white", "black", "grey"])
def test_letters_and_outline_are_white_and_black_on_any_background(background: str) -> None:
    marked = Watermark(TEXT).mark(Image.new("RGB", (512, 512), background))
    colours = {colour for _, colour in marked.getcolors(maxcolors=512 * 512) or []}
    assert colours >= {(255, 255, 255), (0, 0, 0)}


@pytest.mark.parametrize("size", [(256, 64), (64, 512), (96, 96), (4096, 16)])
def test_a_text_that_is_too_long_is_made_to_fit(size: tuple[int, int]) -> None:
    left, top, right, bottom = changed(Image.new("RGB", size, "grey"), "W" * 16)
    assert left > 0 < top
    assert right < size[0]
    assert bottom < size[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (8, 8)])
def test_the_smallest_pictures_are_marked_without_failing(size: tuple[int, int]) -> None:
    assert Watermark("W" * 80).mark(Image.new("RGB", size)).size == size


def test_the_picture_itself_is_left_alone() -> None:
    picture = Image.new("RGB", (128, 128), "grey")
    Watermark(TEXT).mark(picture)
    assert picture.getcolors() == [(128 * 128, (128, 128, 128))]


@pytest.mark.parametrize("text", ["猫", "café", "two\nlines", "tab\t", "nul\0"])
def test_characters_that_the_font_lacks_are_refused_by_name(text: str) -> None:
    with pytest.raises(WatermarkError, match="WATERMARK has characters that its font does not draw"):
        Watermark(text)
