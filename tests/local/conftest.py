from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.emulator import local_aws, start_ministack, wait_for_ministack
from local.web_server import WebServer, listen


@dataclass
class MiniStack:
    """A running MiniStack.

    Attributes:
        aws: its address.
        requests: the requests to the SageMaker emulator, each as method, endpoint and body or headers.
    """

    aws: LocalAws
    requests: list[tuple[str, str, Any]] = field(default_factory=list)


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[MiniStack]:
    """MiniStack with a SageMaker emulator that records its requests."""

    async def record(request: Request) -> Response:
        body = await request.json() if await request.body() else None
        running.requests.append((request.method, request.path_params["name"], body))
        return Response(status_code=201)

    async def accept(request: Request) -> Response:
        running.requests.append((request.method, request.path_params["name"], dict(request.headers)))
        headers = {"x-amzn-sagemaker-outputlocation": "s3://bucket/results/1.out"}
        return JSONResponse({"InferenceId": "mine"}, status_code=202, headers=headers)

    routes = [
        Route("/endpoints/{name}", record, methods=["PUT", "DELETE"]),
        Route("/endpoints/{name}/async-invocations", accept, methods=["POST"]),
    ]
    running = MiniStack(local_aws(tmp_path, enforce_iam=False))
    control_plane = WebServer(Starlette(routes=routes), listen(0))
    process = start_ministack(running.aws, control_plane.url, tmp_path)
    wait_for_ministack(process, running.aws)
    yield running
    process.stop()
    control_plane.stop()
