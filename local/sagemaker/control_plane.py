"""The stand-in for SageMaker, behind the emulated cloud: endpoints made, taken away and invoked."""

import asyncio
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.sagemaker.endpoint import AsyncEndpoint

_HEADER = "x-amzn-sagemaker-"
_DEFAULT_TTL_S = 21_600
_DEFAULT_TIMEOUT_S = 900


class SageMaker:
    """Every endpoint that the templates have defined."""

    def __init__(self, *, aws: LocalAws, directory: Path) -> None:
        """Keeps the endpoints' models and logs under `directory`."""
        self._aws = aws
        self._directory = directory
        self._endpoints: dict[str, AsyncEndpoint] = {}
        self._retired: list[AsyncEndpoint] = []

    def app(self) -> Starlette:
        """The HTTP side."""
        return Starlette(
            routes=[
                Route("/endpoints/{name}/async-invocations", self._invoke, methods=["POST"]),
                Route("/endpoints/{name}", self._put, methods=["PUT"]),
                Route("/endpoints/{name}", self._delete, methods=["DELETE"]),
            ]
        )

    def wait_in_service(self) -> None:
        """Waits for every endpoint; raises what kept one from service."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.wait_in_service()

    def check(self) -> None:
        """Raises ProcessEndedError if a container has ended."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.check()

    def stop(self) -> None:
        """Ends every endpoint."""
        for endpoint in (*self._endpoints.values(), *self._retired):
            endpoint.stop()
        self._endpoints.clear()
        self._retired.clear()

    async def _put(self, request: Request) -> Response:
        """Makes an endpoint, or another in the place of one that then finishes what it has accepted."""
        name = request.path_params["name"]
        if name in self._endpoints:
            former = self._endpoints.pop(name)
            former.retire()
            self._retired.append(former)
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
            invocation = endpoint.accept(
                headers.get(f"{_HEADER}inference-id"),
                headers[f"{_HEADER}inputlocation"],
                headers.get(f"{_HEADER}content-type", "application/json"),
                float(headers.get(f"{_HEADER}requestttlseconds", _DEFAULT_TTL_S)),
                float(headers.get(f"{_HEADER}invocationtimeoutseconds", _DEFAULT_TIMEOUT_S)),
            )
        except (KeyError, ValueError) as error:
            return _validation_error(f"the request is not valid: {error}")
        return JSONResponse(
            {"InferenceId": invocation.inference_id},
            status_code=HTTPStatus.ACCEPTED,
            headers={
                f"{_HEADER}outputlocation": invocation.output_location.uri,
                f"{_HEADER}failurelocation": invocation.failure_location.uri,
            },
        )


def _validation_error(message: str) -> Response:
    return JSONResponse(
        {"Message": message},
        status_code=HTTPStatus.BAD_REQUEST,
        headers={"x-amzn-errortype": "ValidationError"},
    )
