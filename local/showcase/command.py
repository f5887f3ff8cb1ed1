"""The showcase command: renders the contact sheet with an API and saves it."""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from local.address import read_address
from local.client import JobsClient
from local.showcase.contact_sheet import contact_sheet
from local.showcase.rendering import render_rows, unexpected_results


class UnexpectedResultsError(RuntimeError):
    """Rows of the contact sheet differ from what is expected; the message contains their labels."""


class Api(NamedTuple):
    """The base URL of an API and an API key."""

    url: str
    key: str


def running_locally(directory: Path) -> Api | None:
    """The API of the local stack with the given directory; None if there is none."""
    address = read_address(directory)
    return None if address is None else Api(address.api_url, address.api_key)


def run(api: Api, *, output: Path, console: Console) -> None:
    """Renders every row and saves the contact sheet as PNG.

    Raises:
        UnreachableError: the connection to the API failed.
        JobFailedError: the API refused to list its models.
        UnexpectedResultsError: the sheet is saved, but some of its rows are not as expected.
    """
    with JobsClient(api.url, api.key) as client:
        rows = render_rows(client, lambda label: console.print(f"  {label}"))
    output.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows).save(output, format="PNG", optimize=True)
    console.print(f"{output}", soft_wrap=True)
    unexpected = unexpected_results(rows)
    if unexpected:
        raise UnexpectedResultsError("; ".join(unexpected))
