"""Words of an earlier private language do not come back into code, documents and tests."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PRIVATE_WORDS = {
    r"conced\w*|concession\w*": "fallback",
    r"residents": "device cache, cached",
    r"messenger": "callback executor",
    r"pager": "alarms, AlarmTopics",
    r"whoever|nobody|somebody": "None, no caller, any caller",
    r"(un)?guided": "with (without) classifier-free guidance",
    r"enlarg\w*": "upscale",
    r"studio": "image generator",
    r"tally": "step counter",
    r"hears of|is told of|found wanting|, in words|lets in": "name what happens",
    r"pictures?": "image",
    r"drawn|drew|drawings?": "generated, generation",
    r"anew": "again",
    r"tickets?": "task",
    r"(?-i:settles?|settled|settling)": "complete, finish",
}
"""Regular expressions of whole words, each with what to say instead."""

EXEMPT = {"CHANGELOG.md", "training/caption.py", "tests/test_language.py"}
"""The names of earlier versions, the captions of the training set, and this list."""

DIRECTORIES = (
    "bench",
    "contract",
    "docs",
    "examples",
    "guarded_http",
    "inference",
    "infra",
    "lambda",
    "local",
    "operations",
    "tests",
    "training",
    "web/scripts",
    "web/src",
)
ENDINGS = {".css", ".md", ".mjs", ".py", ".svg", ".toml", ".ts", ".tsx"}


def text_files() -> list[Path]:
    """Every text file that is written by hand, the exempt ones excepted."""
    files = [*ROOT.glob("*"), *(path for name in DIRECTORIES for path in (ROOT / name).rglob("*"))]
    return [
        path
        for path in files
        if (path.suffix in ENDINGS or path.name == "Makefile")
        and path.relative_to(ROOT).as_posix() not in EXEMPT
    ]


def words_of(text: str) -> str:
    """The text with identifiers split into words: `is_drawn`, `isDrawn` -> `is drawn`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ")


@pytest.mark.parametrize("pattern", PRIVATE_WORDS)
def test_the_word_does_not_occur(pattern: str) -> None:
    word = re.compile(rf"\b({pattern})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in text_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(words_of(line))
    ]
    assert not found, f"say {PRIVATE_WORDS[pattern]} instead:\n" + "\n".join(found)


def test_no_docstring_begins_with_a_relative_clause() -> None:
    clause = re.compile(r'"""(?:What|Who|Whose|Whoever|Where|How)\b[^"\n]*')
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in text_files()
        if path.suffix == ".py"
        for match in clause.findall(path.read_text())
    ]
    assert not found, "name the thing instead:\n" + "\n".join(found)
