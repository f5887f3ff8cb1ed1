from PIL import Image

from local.showcase.contact_sheet import CELL, Cell, SheetRow, contact_sheet


def test_large_images_and_long_texts_fit_on_the_sheet() -> None:
    large = Image.new("RGB", (2 * CELL, 3 * CELL), "red")
    long_note = Cell(note="https://example.com/" + "long" * 200, is_expected=False)
    rows = [
        SheetRow(label="a", text="b " * 200, cells=(Cell(image=large, note="c"), long_note)),
        SheetRow(label="d", text="", cells=(Cell(image=large),)),
    ]
    sheet = contact_sheet(rows)
    reds = sum(count for count, colour in sheet.getcolors(1 << 20) or [] if colour == (255, 0, 0))
    assert reds == 2 * (2 * CELL - 2) * (3 * CELL - 2)
    right_margin = sheet.crop((sheet.width - 5, 0, sheet.width, sheet.height))
    assert right_margin.getcolors() == [(5 * sheet.height, (255, 255, 255))]
