"""The layout of the contact sheet: rows of images with captions, painted into one image."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

CELL = 128
"""Width and height of an image of the model's default size on the sheet, in pixels."""

_MARGIN, _GAP, _LINE = 20, 16, 15
_LABELS_WIDTH = 210
_TEXT, _FAINT, _RULE, _EMPTY, _ALARM = "#1a1a1a", "#666666", "#dddddd", "#e4e4e4", "#b00020"
_LABEL_FONT = ImageFont.load_default(size=17)
_FONT = ImageFont.load_default(size=12)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An image with captions, or the reason why there is none.

    Attributes:
        caption: lines above the image.
        image: at the size at which it is shown.
        note: lines below the image; if there is none, in its place.
        is_expected: whether the result is as expected; otherwise the note is red.
    """

    caption: str = ""
    image: Image.Image | None = None
    note: str = ""
    is_expected: bool = True


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """Cells side by side with a label and a text to their left."""

    label: str
    text: str
    cells: tuple[Cell, ...]


def contact_sheet(rows: Sequence[SheetRow]) -> Image.Image:
    """The rows one below the other on white."""
    images = [_paint_row(row) for row in rows]
    width = max(image.width for image in images) + 2 * _MARGIN
    height = sum(image.height + 2 * _GAP + 1 for image in images) - 2 * _GAP - 1 + 2 * _MARGIN
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    y = _MARGIN
    for image in images:
        if y > _MARGIN:
            draw.line((_MARGIN, y - _GAP - 1, width - _MARGIN, y - _GAP - 1), fill=_RULE)
        page.paste(image, (_MARGIN, y))
        y += image.height + 2 * _GAP + 1
    return page


def _paint_row(row: SheetRow) -> Image.Image:
    text = _wrapped(row.text, _LABELS_WIDTH - _GAP)
    captions_height = 3 + _LINE * max(len(_wrapped(cell.caption, _width(cell))) for cell in row.cells)
    cells = [_paint_cell(cell, captions_height) for cell in row.cells]
    width = _LABELS_WIDTH + sum(cell.width + _GAP for cell in cells) - _GAP
    height = max(28 + _LINE * len(text), *(cell.height for cell in cells))
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.text((0, 0), row.label, fill=_TEXT, font=_LABEL_FONT)
    _write(draw, (0, 28), text, _FAINT)
    x = _LABELS_WIDTH
    for cell in cells:
        image.paste(cell, (x, 0))
        x += cell.width + _GAP
    return image


def _paint_cell(cell: Cell, captions_height: int) -> Image.Image:
    width = _width(cell)
    content = cell.image or _placeholder(cell, width)
    note = _wrapped(cell.note, width) if cell.image else []
    image = Image.new("RGB", (width, captions_height + content.height + 4 + _LINE * len(note)), "white")
    draw = ImageDraw.Draw(image)
    caption = _wrapped(cell.caption, width)
    _write(draw, (0, captions_height - 3 - _LINE * len(caption)), caption, _TEXT)
    image.paste(content, (0, captions_height))
    bottom = captions_height + content.height
    draw.rectangle((0, captions_height, content.width - 1, bottom - 1), outline=_RULE)
    _write(draw, (0, bottom + 4), note, _FAINT)
    return image


def _width(cell: Cell) -> int:
    return max(CELL, cell.image.width if cell.image else 0)


def _placeholder(cell: Cell, width: int) -> Image.Image:
    lines = _wrapped(cell.note, width - 12)
    image = Image.new("RGB", (width, max(CELL, 12 + _LINE * len(lines))), _EMPTY)
    _write(ImageDraw.Draw(image), (6, 4), lines, _TEXT if cell.is_expected else _ALARM)
    return image


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], lines: Sequence[str], colour: str) -> None:
    x, y = at
    for line in lines:
        draw.text((x, y), line, fill=colour, font=_FONT)
        y += _LINE


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of the text at a width in pixels; a word that is wider is broken."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split(" "):
            if line and _FONT.getlength(f"{line} {word}") > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while _FONT.getlength(line) > width:
                fits = _fitting_length(line, width)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    return lines


def _fitting_length(word: str, width: int) -> int:
    """The number of characters, at least one, that fit into a width in pixels."""
    return 1 + bisect_right(range(2, len(word)), float(width), key=lambda n: float(_FONT.getlength(word[:n])))
