"""The generated files of this repository: `python -m operations.generated_files` lists them.

With `--write` it also writes the documents among them, which are rendered in seconds.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass

from operations.stages import ROOT


@dataclass(frozen=True)
class GeneratedFile:
    """A file, or a directory of files, that is not edited by hand.

    Attributes:
        path: relative to the repository's root.
        source: the origin of its content.
        command: writes it.
        render: the content that it should have; None where writing it takes hours, the network or Node.
    """

    path: str
    source: str
    command: str
    render: Callable[[], str] | None = None


def _openapi() -> str:
    from jobs.http.openapi import openapi_document

    return json.dumps(openapi_document(), indent=2) + "\n"


def _configuration() -> str:
    from infra.config import docs

    return docs.markdown()


def _cost() -> str:
    from operations.cost import command

    return command.document(command.create_estimate("dev"))


def _architecture() -> str:
    from operations import package_tree

    return package_tree.render()


def _compatibility() -> str:
    from operations import compatibility

    return compatibility.render()


def _reliability() -> str:
    from operations import lifecycle_diagram

    return lifecycle_diagram.render()


GENERATED_FILES = (
    GeneratedFile("docs/openapi.json", "jobs.http and contract/", "make docs", _openapi),
    GeneratedFile("docs/configuration.md", "the schema in infra/config/", "make docs", _configuration),
    GeneratedFile("docs/cost.md", "the dev stage's templates and operations/*.toml", "make docs", _cost),
    GeneratedFile("docs/architecture.md", "its package tree: the docstrings", "make docs", _architecture),
    GeneratedFile(
        "docs/compatibility.md", "the tables in contract/ and inference/", "make docs", _compatibility
    ),
    GeneratedFile("docs/reliability.md", "its life of a job: jobs.lifecycle", "make docs", _reliability),
    GeneratedFile("web/src/api/schema.ts", "docs/openapi.json", "make docs"),
    GeneratedFile("web/src/api/fields.ts", "docs/openapi.json", "make docs"),
    GeneratedFile("inference/requirements.lock", "inference/requirements.txt", "make lock"),
    GeneratedFile("inference/requirements-alone.lock", "inference/requirements-alone.txt", "make lock"),
    GeneratedFile("inference/demo_model", "training/", "make train"),
    GeneratedFile("inference/demo_loras", "training/", "make train"),
    GeneratedFile("inference/demo_controlnets", "training/", "make train"),
    GeneratedFile("docs/demo.png", "out/ of the demo", "make demo"),
    GeneratedFile("docs/showcase.png", "out/showcase.png", "make showcase"),
    *(
        GeneratedFile(path.relative_to(ROOT).as_posix(), "local/screenshots.py", "make screenshots")
        for path in sorted((ROOT / "docs").glob("page-*.png"))
    ),
    GeneratedFile("docs/demo-model.png", "out/ of the evaluation", "make evaluate"),
)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m operations.generated_files", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the documents of `make docs`")
    write = parser.parse_args().write
    for file in GENERATED_FILES:
        if write and file.render is not None:
            (ROOT / file.path).write_text(file.render())
        print(f"{file.path:<36}{file.command:<16}from {file.source}")


if __name__ == "__main__":
    main()
