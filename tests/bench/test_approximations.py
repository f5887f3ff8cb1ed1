import re

import pytest

from bench import approximations


def test_approximations_are_compared_with_the_exact_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("exact", "guidance_interval [0.0, 0.8]", "FP8")
    chosen = tuple(each for each in approximations._APPROXIMATIONS if each.name in names)
    monkeypatch.setattr(approximations, "_APPROXIMATIONS", chosen)
    options = ["--images", "1", "--random-images", "1", "--steps", "2"]
    monkeypatch.setattr("sys.argv", ["approximations", *options])
    assert approximations.main() == 0
    table = re.findall(r"^\| (.+?) \| (\d+)% \| (\d+\.\d+) \|", capsys.readouterr().out, re.MULTILINE)
    assert [(name, rows) for name, rows, _ in table] == [*zip(names, ("100", "75", "100"), strict=True)] * 2
    assert [float(difference) > 0 for *_, difference in table] == [False, True, True] * 2
