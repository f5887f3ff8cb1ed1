import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from local.web_server import WebServer, listen

SIDE = 256
_MODEL = {"is_default": True, "defaults": {"width": SIDE, "height": SIDE}}
_LINKS = {"self": "/v1/jobs/J"}


class FakeApi:
    """Returns grey images; refuses widths that are no multiple of 8 and fails jobs with unknown LoRAs."""

    def __init__(self) -> None:
        self.loras = {"moon", "moon-dora"}
        self.url = ""

    async def models(self, _request: Request) -> Response:
        return JSONResponse({"data": [{"is_default": False}, _MODEL]})

    async def submit(self, request: Request) -> Response:
        body = await request.json()
        if body.get("width", 0) % 8:
            problem = _problem(ErrorCode.VALIDATION_FAILED, "width: must be a multiple of 8")
            return JSONResponse(problem, 422, headers={"Content-Type": CONTENT_TYPE})
        missing = {each["name"] for each in body.get("loras", [])} - self.loras
        if missing:
            error = _problem(ErrorCode.ADAPTER_NOT_FOUND, f"There is no LoRA {sorted(missing)}.")
            return JSONResponse({"id": "J", "status": "failed", "error": error, "links": _LINKS})
        return JSONResponse({"id": "J", "status": "queued", "links": _LINKS}, 202)

    async def job(self, _request: Request) -> Response:
        images = [{"url": f"{self.url}/image"}]
        return JSONResponse({"id": "J", "status": "succeeded", "images": images, "links": _LINKS})

    async def image(self, request: Request) -> Response:
        assert "x-api-key" not in request.headers
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), "grey").save(buffer, format="PNG")
        return Response(buffer.getvalue())


def _problem(code: ErrorCode, detail: str) -> Any:
    return Problem.of(code, detail).model_dump(mode="json")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setattr("local.client._FIRST_INTERVAL_S", 0.0)
    api = FakeApi()
    routes = [
        Route("/v1/models", api.models),
        Route("/v1/jobs", api.submit, methods=["POST"]),
        Route("/v1/jobs/J", api.job),
        Route("/image", api.image),
    ]
    server = WebServer(Starlette(routes=routes), listen(0))
    api.url = server.url
    yield api
    server.stop()
