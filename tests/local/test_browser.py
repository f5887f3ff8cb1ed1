from pathlib import Path

import pytest

from local.browser import PROGRAMS, BrowserMissingError, find_chromium
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)


def install(path: Path) -> str:
    path.touch(mode=0o755)
    return str(path)


def test_the_programs_are_looked_for_in_their_order(tmp_path: Path) -> None:
    for name in reversed(PROGRAMS):
        path = install(tmp_path / name)
        assert find_chromium() == path


def test_the_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / PROGRAMS[0])
    monkeypatch.setenv("CHROMIUM", install(tmp_path / "chrome-beta"))
    assert find_chromium() == str(tmp_path / "chrome-beta")


def test_a_variable_that_names_no_program_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / PROGRAMS[0])
    monkeypatch.setenv("CHROMIUM", "/missing/chrome")
    with pytest.raises(BrowserMissingError, match="CHROMIUM is '/missing/chrome', which is not a program"):
        find_chromium()


def test_a_machine_without_a_browser_is_told_what_to_install() -> None:
    with pytest.raises(BrowserMissingError, match=r"apt-get install chromium.*the variable CHROMIUM"):
        find_chromium()


def test_ci_looks_for_the_same_programs_before_it_installs_one() -> None:
    search = f'command -v "${{CHROMIUM:-{PROGRAMS[0]}}}" {" ".join(PROGRAMS[1:])}'
    assert search in (ROOT / ".ci" / "run").read_text()
