"""Untouched clients wait for images that take longer than a request may: 25 s here, 29 s in API Gateway."""

import sys
from collections.abc import Iterator

import httpx
import pytest

from contract.environment import WAIT_S
from local.emulator import Parts
from local.stack import LocalStack
from tests.e2e.clients.environment import report_of

LATE_S = 31
PNG = b"\x89PNG\r\n\x1a\n".hex()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose container is as late as the prompt says."""
    parts = Parts(container=(sys.executable, "-m", "tests.e2e.clients.late_container"))
    stack = LocalStack.start(port=0, directory=tmp_path_factory.mktemp("late"), report=print, parts=parts)
    yield stack
    stack.stop()


@pytest.mark.parametrize("client", ["waiting_client.py", "waiting_client.mjs", "waiting_webuiapi_client.py"])
def test_a_client_gets_an_image_that_takes_longer_than_a_request_and_none_is_generated_twice(
    stack: LocalStack, http: httpx.Client, client: str
) -> None:
    prompt = f"{client}, {LATE_S} seconds late"
    reports = report_of(client, stack.address.api_url, stack.address.api_key, prompt, prompt)
    for report in reports:
        assert report["start"] == PNG
        assert report["seconds"] >= LATE_S > WAIT_S
    jobs = http.get("/v1/jobs", params={"text": prompt}).json()["data"]
    assert [job["status"] for job in jobs] == ["succeeded"]


@pytest.mark.parametrize("client", ["waiting_replicate_client.py", "waiting_replicate_client.mjs"])
def test_a_prediction_that_takes_longer_than_a_request_is_followed_until_its_end(
    stack: LocalStack, http: httpx.Client, client: str
) -> None:
    prompt = f"{client}, {LATE_S} seconds late"
    (report,) = report_of(client, stack.address.api_url, stack.address.api_key, prompt)
    assert report["start"] == PNG
    assert report["seconds"] >= LATE_S > WAIT_S
    jobs = http.get("/v1/jobs", params={"text": prompt}).json()["data"]
    assert [job["status"] for job in jobs] == ["succeeded"]
