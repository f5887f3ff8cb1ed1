import pytest
from PIL import Image, ImageChops

from inference.output.watermark import Watermark, WatermarkError

TEXT = "Made by a machine"


def changed_box(image: Image.Image, text: str = TEXT) -> tuple[int, int, int, int]:
    """The bounding box of the pixels that the watermark changes."""
    box = ImageChops.difference(Watermark(text).apply(image), image).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("side", [256, 512, 1024, 4096])
def test_the_watermark_is_in_the_lower_right_corner_and_scales_with_the_image(side: int) -> None:
    left, top, right, bottom = changed_box(Image.new("RGB", (side, side), "grey"))
    assert left > side / 2
    assert top > side * 0.9
    assert side * 0.95 < right < side
    assert side * 0.95 < bottom < side
    assert (bottom - top) / side == pytest.approx(1 / 28, rel=0.5)


@pytest.mark.parametrize("background", ["white", "black", "grey"])
def test_the_text_is_white_with_a_black_outline_on_any_background(background: str) -> None:
    marked = Watermark(TEXT).apply(Image.new("RGB", (512, 512), background))
    colors = {color for _, color in marked.getcolors(maxcolors=512 * 512) or []}
    assert colors >= {(255, 255, 255), (0, 0, 0)}


@pytest.mark.parametrize("size", [(256, 64), (64, 512), (96, 96), (4096, 16)])
def test_a_long_text_is_shrunk_to_fit(size: tuple[int, int]) -> None:
    left, top, right, bottom = changed_box(Image.new("RGB", size, "grey"), "W" * 16)
    assert left > 0 < top
    assert right < size[0]
    assert bottom < size[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (8, 8)])
def test_the_smallest_images_can_be_watermarked(size: tuple[int, int]) -> None:
    assert Watermark("W" * 80).apply(Image.new("RGB", size)).size == size


def test_the_given_image_is_not_modified() -> None:
    image = Image.new("RGB", (128, 128), "grey")
    Watermark(TEXT).apply(image)
    assert image.getcolors() == [(128 * 128, (128, 128, 128))]


@pytest.mark.parametrize("text", ["猫", "café", "two\nlines", "tab\t", "nul\0"])
def test_characters_that_the_font_lacks_are_refused(text: str) -> None:
    with pytest.raises(WatermarkError, match="WATERMARK contains characters that its font lacks"):
        Watermark(text)
