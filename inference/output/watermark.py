"""A visible mark on every image."""

from PIL import Image, ImageDraw, ImageFont

_SHARE = 28
"""The shorter side of a picture is this many times the height of the letters."""

_LEAST_SIZE, _TEST_SIZE = 10, 20
_SHRINKING = 0.95
_NO_CHARACTER = "\uffff"


class WatermarkError(RuntimeError):
    """The text cannot be drawn; the message says why."""


class Watermark:
    """A text in the lower right corner, white with a dark outline: legible on any picture."""

    def __init__(self, text: str) -> None:
        """Takes the text.

        Raises:
            WatermarkError: Pillow's font lacks a character of the text.
        """
        font = _font(_TEST_SIZE)
        lacking = bytes(font.getmask(_NO_CHARACTER))
        strange = {c for c in text if not c.isprintable() or bytes(font.getmask(c)) == lacking}
        if strange:
            listed = ", ".join(sorted(map(repr, strange)))
            raise WatermarkError(
                f"WATERMARK has characters that its font does not draw ({listed}); use letters, digits and "
                "punctuation of ASCII, and ©."
            )
        self._text = text

    def mark(self, picture: Image.Image) -> Image.Image:
        """A copy of an RGB picture with the mark on it, smaller where the picture is too narrow for it."""
        marked = picture.copy()
        draw = ImageDraw.Draw(marked)
        size: float = max(_LEAST_SIZE, min(picture.size) // _SHARE)
        while size > 1 and (room := self._room(draw, picture.size, size)) < 1:
            size = max(1.0, size * min(room, _SHRINKING))  # widths do not follow the size exactly
        margin = _margin(size)
        draw.text(
            (picture.width - margin, picture.height - margin),
            self._text,
            fill="white",
            font=_font(size),
            anchor="rs",
            stroke_width=_stroke(size),
            stroke_fill="black",
        )
        return marked

    def _room(self, draw: ImageDraw.ImageDraw, available: tuple[int, int], size: float) -> float:
        """How many times the mark fits, with its margins, into the picture's width or height."""
        left, top, right, bottom = draw.textbbox(
            (0, 0), self._text, font=_font(size), anchor="rs", stroke_width=_stroke(size)
        )
        margins = 2 * _margin(size)
        return min(available[0] / (right - left + margins), available[1] / (bottom - top + margins))


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(1.0, size))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise WatermarkError("WATERMARK needs a Pillow with FreeType; install one, or leave it unset.")
    return font


def _margin(size: float) -> float:
    return size / 2


def _stroke(size: float) -> float:
    return max(0.5, size / 12)
