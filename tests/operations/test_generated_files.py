"""Every generated file is what would be generated now, and none is missing from the list."""

import re

import pytest

from operations.generated_files import GENERATED_FILES, GeneratedFile
from tests.conftest import ROOT

RENDERED = [file for file in GENERATED_FILES if file.render is not None]


@pytest.mark.parametrize("file", RENDERED, ids=lambda file: file.path)
def test_the_committed_document_is_what_would_be_written_now(file: GeneratedFile) -> None:
    assert file.render is not None
    assert (ROOT / file.path).read_text() == file.render(), f"run `{file.command}`"


def test_every_generated_file_exists_and_its_command_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in GENERATED_FILES:
        assert (ROOT / file.path).exists()
        assert file.command.removeprefix("make ") in targets


def test_documents_that_say_that_they_are_generated_are_listed() -> None:
    claiming = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "docs").glob("*.md")
        if "make docs" in path.read_text()
    }
    assert claiming <= {file.path for file in GENERATED_FILES}
