"""A contact sheet: rows of pictures with their captions."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

CELL = 128
"""Pixels of the side of a usual picture on the sheet."""

_MARGIN, _GAP, _LINE = 20, 16, 15
_LABELS_WIDTH = 210
_TEXT, _FAINT, _RULE, _EMPTY, _ALARM = "#1a1a1a", "#666666", "#dddddd", "#e4e4e4", "#b00020"
_LABEL_FONT = ImageFont.load_default(size=17)
_FONT = ImageFont.load_default(size=12)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A picture, or why there is none.

    Attributes:
        caption: above it; lines.
        picture: in the size in which it is to be seen.
        note: below it; without a picture, in its place.
        is_wanted: False where this is not what should have come.
    """

    caption: str = ""
    picture: Image.Image | None = None
    note: str = ""
    is_wanted: bool = True


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A row of cells under one label."""

    label: str
    text: str
    cells: tuple[Cell, ...]


def contact_sheet(strips: Sequence[Strip]) -> Image.Image:
    """The strips one below the other, on white."""
    drawn = [_draw_strip(strip) for strip in strips]
    width = max(image.width for image in drawn) + 2 * _MARGIN
    height = sum(image.height + 2 * _GAP + 1 for image in drawn) - 2 * _GAP - 1 + 2 * _MARGIN
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    y = _MARGIN
    for image in drawn:
        if y > _MARGIN:
            draw.line((_MARGIN, y - _GAP - 1, width - _MARGIN, y - _GAP - 1), fill=_RULE)
        page.paste(image, (_MARGIN, y))
        y += image.height + 2 * _GAP + 1
    return page


def _draw_strip(strip: Strip) -> Image.Image:
    text = _wrapped(strip.text, _LABELS_WIDTH - _GAP)
    captions_height = 3 + _LINE * max(len(_wrapped(cell.caption, _width(cell))) for cell in strip.cells)
    cells = [_draw_cell(cell, captions_height) for cell in strip.cells]
    width = _LABELS_WIDTH + sum(cell.width + _GAP for cell in cells) - _GAP
    height = max(28 + _LINE * len(text), *(cell.height for cell in cells))
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.text((0, 0), strip.label, fill=_TEXT, font=_LABEL_FONT)
    _write(draw, (0, 28), text, _FAINT)
    x = _LABELS_WIDTH
    for cell in cells:
        image.paste(cell, (x, 0))
        x += cell.width + _GAP
    return image


def _draw_cell(cell: Cell, captions_height: int) -> Image.Image:
    width = _width(cell)
    picture = cell.picture or _placeholder(cell, width)
    note = _wrapped(cell.note, width) if cell.picture else []
    image = Image.new("RGB", (width, captions_height + picture.height + 4 + _LINE * len(note)), "white")
    draw = ImageDraw.Draw(image)
    caption = _wrapped(cell.caption, width)
    _write(draw, (0, captions_height - 3 - _LINE * len(caption)), caption, _TEXT)
    image.paste(picture, (0, captions_height))
    bottom = captions_height + picture.height
    draw.rectangle((0, captions_height, picture.width - 1, bottom - 1), outline=_RULE)
    _write(draw, (0, bottom + 4), note, _FAINT)
    return image


def _width(cell: Cell) -> int:
    return max(CELL, cell.picture.width if cell.picture else 0)


def _placeholder(cell: Cell, width: int) -> Image.Image:
    lines = _wrapped(cell.note, width - 12)
    image = Image.new("RGB", (width, max(CELL, 12 + _LINE * len(lines))), _EMPTY)
    _write(ImageDraw.Draw(image), (6, 4), lines, _TEXT if cell.is_wanted else _ALARM)
    return image


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], lines: Sequence[str], colour: str) -> None:
    x, y = at
    for line in lines:
        draw.text((x, y), line, fill=colour, font=_FONT)
        y += _LINE


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of so many pixels; a word that is wider is broken."""
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
                fits = _fitting(line, width)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    return lines


def _fitting(word: str, width: int) -> int:
    """How many of its characters, one at least, are no wider than so many pixels."""
    return 1 + bisect_right(range(2, len(word)), float(width), key=lambda n: float(_FONT.getlength(word[:n])))
