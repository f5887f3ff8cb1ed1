"""The package tree in docs/architecture.md, generated from the packages' docstrings."""

import ast
from collections.abc import Iterator
from pathlib import Path

from operations.stages import ROOT

DOCUMENT = ROOT / "docs" / "architecture.md"
_BEGIN = "<!-- The tree is generated from the packages' docstrings: make docs -->\n"
_END = "<!-- end of the tree -->\n"
_PACKAGES = (
    "infra",
    "contract",
    "guarded_http",
    "lambda/jobs",
    "inference",
    "local",
    "operations",
    "training",
    "bench",
)
_COLUMN = 30


def render() -> str:
    """The whole of docs/architecture.md, with the tree as the packages are now."""
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    tree = "\n".join(line for package in _PACKAGES for line in _lines(ROOT / package, package, 0))
    return f"{before}{_BEGIN}\n```\n{tree}\n```\n\n{_END}{after}"


def _lines(directory: Path, name: str, depth: int) -> Iterator[str]:
    summary = (ast.get_docstring(ast.parse((directory / "__init__.py").read_text())) or "").partition("\n")[0]
    indented = "  " * depth + name + "/"
    yield f"{indented:<{_COLUMN}} {summary}"
    for child in sorted(directory.iterdir()):
        if (child / "__init__.py").is_file():
            yield from _lines(child, child.name, depth + 1)
