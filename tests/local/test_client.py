from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from local.client import JobFailedError, JobsClient
from local.web_server import WebServer, listen


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsClient]:
    """A client of an API that refuses every request for a job."""
    monkeypatch.setattr("local.client._FIRST_INTERVAL_S", 0.0)

    async def refuse(_request: Request) -> Response:
        problem = Problem.of(ErrorCode.VALIDATION_FAILED, "width: must be a multiple of 8")
        return Response(problem.model_dump_json(), 422, {"Content-Type": CONTENT_TYPE})

    server = WebServer(Starlette(routes=[Route("/v1/jobs", refuse, methods=["POST"])]), listen(0))
    with JobsClient(server.url, "key") as client:
        yield client
    server.stop()


def test_a_refused_request_raises_the_problems_detail_and_code(client: JobsClient) -> None:
    with pytest.raises(
        JobFailedError, match=r"^width: must be a multiple of 8 \(validation_failed\)$"
    ) as raised:
        client.submit({"prompt": "x", "width": 100})
    assert raised.value.code == ErrorCode.VALIDATION_FAILED


def test_a_response_that_is_no_problem_document_raises_its_status_and_text(client: JobsClient) -> None:
    with pytest.raises(JobFailedError, match=r"^HTTP 404: Not Found$") as raised:
        list(client.poll({"id": "K", "status": "queued", "links": {"self": "/v1/jobs/K"}}))
    assert raised.value.code is None


def test_a_withheld_image_raises_its_flags(client: JobsClient) -> None:
    with pytest.raises(JobFailedError, match="the image with seed 7 is withheld: nsfw"):
        client.download({"url": None, "seed": 7, "flags": ["nsfw"]})
