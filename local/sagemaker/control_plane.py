"""The HTTP interface of the SageMaker emulator: endpoints are created, replaced, deleted and invoked."""

import asyncio
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.sagemaker.endpoint import AsyncEndpoint

_HEADER_PREFIX = "x-amzn-sagemaker-"
_DEFAULT_TTL_S = 21_600
_DEFAULT_TIMEOUT_S = 900


class SageMakerEmulator:
    """All endpoints of the deployed templates, by name."""

    def __init__(self, *, aws: LocalAws, directory: Path) -> None:
        self._aws = aws
        self._directory = directory
        self._endpoints: dict[str, AsyncEndpoint] = {}
        self._draining: list[AsyncEndpoint] = []

    def app(self) -> Starlette:
        """The ASGI application, which MiniStack calls."""
        return Starlette(
            routes=[
                Route("/endpoints/{name}/async-invocations", self._invoke, methods=["POST"]),
                Route("/endpoints/{name}", self._put, methods=["PUT"]),
                Route("/endpoints/{name}", self._delete, methods=["DELETE"]),
            ]
        )

    def wait_in_service(self) -> None:
        """Waits until every endpoint is in service; raises the error of one that failed to start."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.wait_in_service()

    def check(self) -> None:
        """Raises ProcessEndedError if a container has ended."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.check()

    def stop(self) -> None:
        """Stops every endpoint."""
        for endpoint in (*self._endpoints.values(), *self._draining):
            endpoint.stop()
        self._endpoints.clear()
        self._draining.clear()

    async def _put(self, request: Request) -> Response:
        """Creates an endpoint. One of the same name is replaced and finishes the invocations in its queue."""
        name = request.path_params["name"]
        if name in self._endpoints:
            replaced = self._endpoints.pop(name)
            replaced.drain()
            self._draining.append(replaced)
        self._endpoints[name] = AsyncEndpoint(
            name, await request.json(), aws=self._aws, directory=self._directory / name
        )
        return Response(status_code=HTTPStatus.CREATED)

    async def _delete(self, request: Request) -> Response:
        endpoint = self._endpoints.pop(request.path_params["name"], None)
        if endpoint is not None:
            await asyncio.to_thread(endpoint.stop)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _invoke(self, request: Request) -> Response:
        name = request.path_params["name"]
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return _validation_error(f"Endpoint {name} of account not found.")
        headers = request.headers
        try:
            invocation = endpoint.enqueue(
                headers.get(f"{_HEADER_PREFIX}inference-id"),
                headers[f"{_HEADER_PREFIX}inputlocation"],
                headers.get(f"{_HEADER_PREFIX}content-type", "application/json"),
                float(headers.get(f"{_HEADER_PREFIX}requestttlseconds", _DEFAULT_TTL_S)),
                float(headers.get(f"{_HEADER_PREFIX}invocationtimeoutseconds", _DEFAULT_TIMEOUT_S)),
            )
        except (KeyError, ValueError) as error:
            return _validation_error(f"the request is not valid: {error}")
        return JSONResponse(
            {"InferenceId": invocation.inference_id},
            status_code=HTTPStatus.ACCEPTED,
            headers={
                f"{_HEADER_PREFIX}outputlocation": invocation.output_location.uri,
                f"{_HEADER_PREFIX}failurelocation": invocation.failure_location.uri,
            },
        )


def _validation_error(message: str) -> Response:
    return JSONResponse(
        {"Message": message},
        status_code=HTTPStatus.BAD_REQUEST,
        headers={"x-amzn-errortype": "ValidationError"},
    )
