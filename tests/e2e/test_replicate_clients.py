"""The clients of Replicate, as their users install them, against the whole system."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from local.stack import LocalStack
from tests.e2e.clients.environment import report_of

PNG = b"\x89PNG\r\n\x1a\n".hex()


@pytest.fixture(scope="module", params=["replicate_client.py", "replicate_client.mjs"])
def report(
    request: pytest.FixtureRequest, stack: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The report of a client that has used the API."""
    directory = tmp_path_factory.mktemp("replicate")
    return report_of(request.param, stack.address.api_url, stack.address.api_key, *image_and_mask(directory))


def image_and_mask(directory: Path) -> tuple[str, str]:
    image, mask = directory / "image.png", directory / "mask.png"
    Image.new("RGB", (128, 128), "navy").save(image)
    right_half = Image.new("L", (128, 128))
    right_half.paste(255, (64, 0, 128, 128))
    right_half.save(mask)
    return str(image), str(mask)


def test_images_are_generated_and_edited_with_uploaded_files(report: Any) -> None:
    assert report["generated"] == [PNG, PNG]
    assert report["edited"] == [PNG]


def test_a_prediction_that_takes_longer_than_the_wait_goes_on_and_can_be_canceled(report: Any) -> None:
    assert (report["after_waiting"], report["canceled"]) == ("starting", "canceled")


def test_predictions_are_listed_newest_first(report: Any) -> None:
    assert report["listed"][:3] == ["canceled", "succeeded", "succeeded"]
    assert report["metrics"] == ["predict_time", "total_time"]


def test_refusals_are_the_clients_own_errors(report: Any) -> None:
    for error, detail in (
        (report["refused"], "input/aspect_ratio: unknown field"),
        (report["beyond_limits"], "input/num_inference_steps: must be at most 100, not 900"),
    ):
        assert (error["title"], error["status"]) == ("The request is not valid", 422)
        assert error["detail"].startswith(detail)
