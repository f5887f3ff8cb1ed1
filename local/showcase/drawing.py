"""Having the rows' requests drawn by an API."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from local.client import JobFailedError, JobsClient
from local.showcase import captions
from local.showcase.contact_sheet import CELL, Cell, Strip
from local.showcase.features import Asked, Given, Row, rows

Report = Callable[[str], None]

_TIMEOUT_S = 1800
"""An endpoint at rest wakes in minutes."""


def draw_rows(client: JobsClient, report: Report) -> list[Strip]:
    """Sends all requests at once and gives the rows with what came of them.

    Args:
        client: of the API.
        report: hears of each row.

    Raises:
        UnreachableError: nothing answers.
        JobFailedError: the API does not even show its models.
    """
    side = min(client.default_model()["defaults"][name] for name in ("width", "height"))
    shown = rows(side)
    jobs = [[_submitted(client, panel) for panel in row.panels] for row in shown]
    strips = []
    for row, its_jobs in zip(shown, jobs, strict=True):
        cells = tuple(
            _cell(client, row, panel, job, CELL / side)
            for panel, job in zip(row.panels, its_jobs, strict=True)
        )
        strips.append(Strip(label=row.label, text=captions.shared(row.requests), cells=cells))
        report(row.label)
    return strips


def failures(strips: Sequence[Strip]) -> list[str]:
    """The rows that did not show what they should, with the reasons."""
    return [f"{strip.label}: {cell.note}" for strip in strips for cell in strip.cells if not cell.is_wanted]


def _submitted(client: JobsClient, panel: Given | Asked) -> Any:
    """The job; the refusal where there is none; None where nothing is asked for."""
    if isinstance(panel, Given):
        return None
    try:
        return client.submit(panel.request)
    except JobFailedError as refusal:
        return refusal


def _cell(client: JobsClient, row: Row, panel: Given | Asked, job: Any, scale: float) -> Cell:
    if isinstance(panel, Given):
        return Cell(caption=panel.caption, picture=_scaled(panel.picture, scale), note=_size(panel.picture))
    caption = captions.own(panel.request, row.requests)
    try:
        body = _image(client, job)
    except JobFailedError as error:
        is_wanted = error.code is not None and error.code == panel.refusal
        return Cell(caption=caption, note=error.detail, is_wanted=is_wanted)
    picture = Image.open(io.BytesIO(body))
    note = f"{_size(picture)} {picture.format}, {len(body) / 1000:.1f} kB"
    return Cell(
        caption=caption,
        picture=_scaled(picture, scale),
        note=note if panel.is_drawn else f"{note}, though it should have been refused",
        is_wanted=panel.is_drawn,
    )


def _image(client: JobsClient, job: Any) -> bytes:
    if isinstance(job, JobFailedError):
        raise job
    *_, done = client.follow(job, timeout_s=_TIMEOUT_S)
    return client.download(done["images"][0])


def _size(picture: Image.Image) -> str:
    return f"{picture.width} x {picture.height}"


def _scaled(picture: Image.Image, scale: float) -> Image.Image:
    size = (round(picture.width * scale), round(picture.height * scale))
    shown = picture.convert("RGB")
    return shown if size == shown.size else shown.resize(size, Image.Resampling.LANCZOS)
