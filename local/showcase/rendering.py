"""Sends the requests of all features to an API and turns the results into rows of the contact sheet."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from local.client import JobFailedError, JobsClient
from local.showcase import captions
from local.showcase.contact_sheet import CELL, Cell, SheetRow
from local.showcase.features import Feature, InputPanel, RequestPanel, features

Report = Callable[[str], None]

_TIMEOUT_S = 1800
"""An endpoint that has scaled to zero takes minutes to start."""


def render_rows(client: JobsClient, report: Report) -> list[SheetRow]:
    """Submits all requests and returns a row for each feature.

    Args:
        client: of the API.
        report: called with the label of each finished row.

    Raises:
        UnreachableError: the connection to the API failed.
        JobFailedError: the API refused to list its models.
    """
    side = min(client.default_model()["defaults"][name] for name in ("width", "height"))
    shown = features(side)
    jobs = [[_submit(client, panel) for panel in feature.panels] for feature in shown]
    rows = []
    for feature, feature_jobs in zip(shown, jobs, strict=True):
        cells = tuple(
            _cell(client, feature, panel, job, CELL / side)
            for panel, job in zip(feature.panels, feature_jobs, strict=True)
        )
        rows.append(SheetRow(label=feature.label, text=captions.common_fields(feature.requests), cells=cells))
        report(feature.label)
    return rows


def unexpected_results(rows: Sequence[SheetRow]) -> list[str]:
    """The labels of the rows that are not as expected, with the reasons."""
    return [f"{row.label}: {cell.note}" for row in rows for cell in row.cells if not cell.is_expected]


def _submit(client: JobsClient, panel: InputPanel | RequestPanel) -> Any:
    """The job, or the error if the request was refused; None for an input image."""
    if isinstance(panel, InputPanel):
        return None
    try:
        return client.submit(panel.request)
    except JobFailedError as error:
        return error


def _cell(
    client: JobsClient, feature: Feature, panel: InputPanel | RequestPanel, job: Any, scale: float
) -> Cell:
    if isinstance(panel, InputPanel):
        return Cell(caption=panel.caption, image=_scaled(panel.image, scale), note=_size(panel.image))
    caption = captions.differing_fields(panel.request, feature.requests)
    try:
        body = _first_image(client, job)
    except JobFailedError as error:
        is_expected = error.code is not None and error.code == panel.error
        return Cell(caption=caption, note=error.detail, is_expected=is_expected)
    image = Image.open(io.BytesIO(body))
    note = f"{_size(image)} {image.format}, {len(body) / 1000:.1f} kB"
    return Cell(
        caption=caption,
        image=_scaled(image, scale),
        note=f"{note}, expected the error {panel.error}" if panel.must_fail else note,
        is_expected=not panel.must_fail,
    )


def _first_image(client: JobsClient, job: Any) -> bytes:
    if isinstance(job, JobFailedError):
        raise job
    *_, done = client.poll(job, timeout_s=_TIMEOUT_S)
    return client.download(done["images"][0])


def _size(image: Image.Image) -> str:
    return f"{image.width} x {image.height}"


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = (round(image.width * scale), round(image.height * scale))
    rgb = image.convert("RGB")
    return rgb if size == rgb.size else rgb.resize(size, Image.Resampling.LANCZOS)
