"""The HTTP interface of the SageMaker emulator: endpoints are created, replaced, described and invoked."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.resource_types import endpoint_arn
from local.sagemaker.container import INFERENCE_COMMAND
from local.sagemaker.endpoint import AsyncEndpoint
from local.sagemaker.notifications import Deliver, deliver
from local.sagemaker.parameters import InvocationParameters

_HEADER_PREFIX = "x-amzn-sagemaker-"


class SageMakerEmulator:
    """All endpoints of the deployed templates, by name."""

    def __init__(
        self,
        *,
        aws: LocalAws,
        directory: Path,
        command: Sequence[str] = INFERENCE_COMMAND,
        deliver: Deliver = deliver,
    ) -> None:
        """Creates no endpoint yet.

        Args:
            aws: the emulated services.
            directory: for models and logs.
            command: the containers' program.
            deliver: passes the completion messages on.
        """
        self._aws = aws
        self._directory = directory
        self._command = command
        self._deliver = deliver
        self._endpoints: dict[str, AsyncEndpoint] = {}
        self._draining: list[AsyncEndpoint] = []

    def app(self) -> Starlette:
        """The ASGI application, which MiniStack calls."""
        return Starlette(
            routes=[
                Route("/endpoints/{name}/async-invocations", self._invoke, methods=["POST"]),
                Route("/endpoints/{name}", self._describe, methods=["GET"]),
                Route("/endpoints/{name}", self._put, methods=["PUT"]),
                Route("/endpoints/{name}", self._delete, methods=["DELETE"]),
            ]
        )

    def wait_in_service(self) -> None:
        """Waits until every endpoint is in service; raises the error of one that failed to start."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.wait_in_service()

    def check(self) -> None:
        """Raises ContainerError or ProcessEndedError if a container has ended and could not be replaced."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.container.check()

    def kill_containers(self) -> None:
        """Kills the server of every endpoint; new ones replace them."""
        for endpoint in tuple(self._endpoints.values()):
            endpoint.container.kill()

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
            name,
            await request.json(),
            aws=self._aws,
            directory=self._directory / name,
            command=self._command,
            deliver=self._deliver,
        )
        return Response(status_code=HTTPStatus.CREATED)

    async def _delete(self, request: Request) -> Response:
        endpoint = self._endpoints.pop(request.path_params["name"], None)
        if endpoint is not None:
            await asyncio.to_thread(endpoint.stop)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _describe(self, request: Request) -> Response:
        name = request.path_params["name"]
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            message = f'Could not find endpoint "{endpoint_arn(name)}".'
            return JSONResponse(
                {"__type": "ValidationException", "message": message}, status_code=HTTPStatus.BAD_REQUEST
            )
        in_service = endpoint.status == "InService"
        variant = {"VariantName": endpoint.variant, "CurrentInstanceCount": int(in_service)}
        return JSONResponse(
            {
                "EndpointName": name,
                "EndpointArn": endpoint_arn(name),
                "EndpointStatus": endpoint.status,
                "ProductionVariants": [variant],
            }
        )

    async def _invoke(self, request: Request) -> Response:
        name = request.path_params["name"]
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return _validation_error(f"Endpoint {name} of account not found.")
        try:
            invocation = endpoint.enqueue(InvocationParameters.parse(request.headers, await request.body()))
        except ValueError as error:
            return _validation_error(str(error))
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
