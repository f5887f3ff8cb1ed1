"""The table of the page's weight."""

import gzip

from bench.page import LoadedFile, weight_table


def test_files_are_summed_up_by_their_kind() -> None:
    script, style, html = b"x" * 4000, b"y" * 2000, b"z" * 500
    first = [
        LoadedFile("/", html),
        LoadedFile("/assets/a.js", script),
        LoadedFile("/assets/b.js", script),
        LoadedFile("/assets/a.css", style),
    ]
    rows = weight_table(first, [LoadedFile("c.js", script)]).splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    packed = 2 * len(gzip.compress(script, 9)) / 1000
    assert cells[0] == ["JavaScript", "2", "8.0", f"{packed:.1f}"]
    assert [row[1:3] for row in cells[1:]] == [["1", "2.0"], ["1", "0.5"], ["4", "10.5"], ["1", "4.0"]]
