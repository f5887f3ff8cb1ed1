"""The visible watermark."""

from PIL import Image, ImageDraw, ImageFont

_FONT_RATIO = 28
"""Ratio of the image's shorter side to the font size."""

_MIN_FONT_SIZE, _TEST_FONT_SIZE = 10, 20
_SHRINK_FACTOR = 0.95
_NO_CHARACTER = "\uffff"


class WatermarkError(RuntimeError):
    """The text cannot be rendered; the message contains the reason."""


class Watermark:
    """A text in the lower right corner, white with a black outline."""

    def __init__(self, text: str) -> None:
        """Checks that Pillow's default font has all characters.

        Raises:
            WatermarkError: the font lacks a character.
        """
        font = _font(_TEST_FONT_SIZE)
        placeholder = bytes(font.getmask(_NO_CHARACTER))
        missing = {c for c in text if not c.isprintable() or bytes(font.getmask(c)) == placeholder}
        if missing:
            listed = ", ".join(sorted(map(repr, missing)))
            raise WatermarkError(
                f"WATERMARK contains characters that its font lacks ({listed}); use ASCII letters, digits, "
                "punctuation and ©."
            )
        self._text = text

    def apply(self, image: Image.Image) -> Image.Image:
        """A copy of an RGB image with the watermark; the font shrinks until the text fits the image."""
        marked = image.copy()
        draw = ImageDraw.Draw(marked)
        size: float = max(_MIN_FONT_SIZE, min(image.size) // _FONT_RATIO)
        while size > 1 and (fit := self._fit(draw, image.size, size)) < 1:
            size = max(1.0, size * min(fit, _SHRINK_FACTOR))  # text widths are not proportional
        margin = _margin(size)
        draw.text(
            (image.width - margin, image.height - margin),
            self._text,
            fill="white",
            font=_font(size),
            anchor="rs",
            stroke_width=_stroke(size),
            stroke_fill="black",
        )
        return marked

    def _fit(self, draw: ImageDraw.ImageDraw, available: tuple[int, int], size: float) -> float:
        """Ratio of the available space to the text's size with margins, in the tighter dimension."""
        left, top, right, bottom = draw.textbbox(
            (0, 0), self._text, font=_font(size), anchor="rs", stroke_width=_stroke(size)
        )
        margins = 2 * _margin(size)
        return min(available[0] / (right - left + margins), available[1] / (bottom - top + margins))


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(1.0, size))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise WatermarkError(
            "WATERMARK requires Pillow with FreeType support; install it, or unset WATERMARK."
        )
    return font


def _margin(size: float) -> float:
    return size / 2


def _stroke(size: float) -> float:
    return max(0.5, size / 12)
