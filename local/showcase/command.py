"""The command: an API's features on one sheet."""

import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from local.client import JobsClient
from local.showcase.contact_sheet import contact_sheet
from local.showcase.drawing import draw_rows, failures


class RowsFailedError(RuntimeError):
    """Rows of the sheet do not show what they should; the message names them."""


class Api(NamedTuple):
    """Where an API answers, and the key that it wants."""

    url: str
    key: str


def running_locally(directory: Path) -> Api | None:
    """The API of the local stack that keeps its files in `directory`; None where none is up."""
    note = directory / "endpoint.json"
    if not note.exists():
        return None
    address = json.loads(note.read_text())
    return Api(address["api_url"], address["api_key"])


def run(api: Api, *, output: Path, console: Console) -> None:
    """Has every row drawn and saves the sheet, a PNG file.

    Raises:
        UnreachableError: nothing answers.
        JobFailedError: the API does not even show its models.
        RowsFailedError: the sheet is there, but some rows do not show what they should.
    """
    with JobsClient(api.url, api.key) as client:
        strips = draw_rows(client, lambda label: console.print(f"  {label}"))
    output.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(strips).save(output, format="PNG", optimize=True)
    console.print(f"{output}", soft_wrap=True)
    failed = failures(strips)
    if failed:
        raise RowsFailedError("; ".join(failed))
