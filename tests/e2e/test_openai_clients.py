"""The clients of OpenAI, as their users install them, against the whole system."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local.stack import LocalStack
from tests.e2e.clients.environment import report_of

PNG = b"\x89PNG\r\n\x1a\n".hex()
SIDE = 128
HOLE = (slice(56, 68), slice(56, 68))
"""Less than 1 % of the image."""


@pytest.fixture(scope="module", params=["openai_client.py", "openai_client.mjs"])
def report(
    request: pytest.FixtureRequest, stack: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The report of a client that has used the API."""
    files = image_and_masks(tmp_path_factory.mktemp("openai"))
    return report_of(request.param, stack.address.api_url, stack.address.api_key, *files)


def image_and_masks(directory: Path) -> tuple[str, ...]:
    """An image, a mask as editors make it of the image, with a hole, and one without."""
    image, holed, opaque = (directory / name for name in ("image.png", "holed.png", "opaque.png"))
    pixels = original()
    Image.fromarray(pixels).save(image)
    mask = np.dstack([pixels, np.full((SIDE, SIDE), 255, np.uint8)])
    Image.fromarray(mask).save(opaque)
    mask[(*HOLE, 3)] = 0
    Image.fromarray(mask).save(holed)
    return str(image), str(holed), str(opaque)


def original() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A dark image, whose colours would select it whole if they mattered."""
    pixels = np.full((SIDE, SIDE, 3), 10, np.uint8)
    pixels[..., 2] = np.arange(SIDE, dtype=np.uint8)
    return pixels


def test_images_are_generated_as_files_and_as_links(report: Any) -> None:
    assert report["generated"] == [PNG, PNG]
    assert (report["size"], report["format"]) == ("128x128", "png")
    assert report["linked"] == PNG


def test_only_what_is_transparent_in_the_mask_changes_however_small_it_is(report: Any) -> None:
    edited = np.asarray(Image.open(io.BytesIO(base64.b64decode(report["edited"]))).convert("RGB"))
    changed = (edited != original()).any(axis=2)
    assert changed[HOLE].any()
    changed[HOLE] = False
    assert not changed.any()


def test_a_mask_without_transparent_areas_selects_nothing(report: Any) -> None:
    error = report["opaque_mask"]
    assert (error["class"], error["status"], error["param"]) == ("BadRequestError", 400, "mask")
    assert error["code"] == "invalid_input_image"
    assert "paint the areas to regenerate transparent" in error["message"]


def test_the_models_are_listed(report: Any) -> None:
    assert ["demo", "model", "quick-kit"] in report["models"]


@pytest.mark.parametrize(
    ("name", "param", "reason"),
    [
        ("transparent", "background", "no transparent areas"),
        ("size_beyond_limits", "size", "must be between 64 and 512 pixels"),
        ("unknown", "frames", "unknown field"),
    ],
)
def test_refusals_are_the_clients_own_errors_which_name_the_field(
    report: Any, name: str, param: str, reason: str
) -> None:
    error = report[name]
    assert (error["class"], error["status"]) == ("BadRequestError", 400)
    assert (error["code"], error["param"]) == ("validation_failed", param)
    assert reason in error["message"]


def test_an_unknown_model_and_a_wrong_key_have_errors_of_their_own(report: Any) -> None:
    model, key = report["unknown_model"], report["wrong_key"]
    assert (model["class"], model["code"], model["param"]) == ("NotFoundError", "model_not_found", "model")
    assert (key["class"], key["status"]) == ("PermissionDeniedError", 403)
