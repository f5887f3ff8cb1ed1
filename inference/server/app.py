"""SageMaker's container protocol: GET /ping and POST /invocations."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem, ProblemError
from inference.invocation.handler import InvocationHandler

_LOGGER = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2
"""For the engine to stop at shutdown, when all jobs have ended."""

_CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a request whose caller has gone; it is only logged."""

LoadHandler = Callable[[], InvocationHandler]
"""Loads the model; takes minutes and runs on its own thread."""


class ModelNotReadyError(ProblemError):
    """The model is not loaded yet, or could not be loaded."""


class _HandlerLoader:
    """The invocation handler, which is loaded in the background."""

    def __init__(self, load: LoadHandler) -> None:
        self._load = load
        self._handler: InvocationHandler | None = None
        self._not_ready = ModelNotReadyError(
            "The model is still being loaded; try again shortly.", code=ErrorCode.MODEL_LOADING
        )

    async def load(self) -> None:
        try:
            self._handler = await asyncio.to_thread(self._load)
        except Exception:
            _LOGGER.exception("the model could not be loaded")
            self._not_ready = ModelNotReadyError(
                "The model could not be loaded; see the container's log for the reason.",
                code=ErrorCode.MODEL_LOAD_FAILED,
            )

    async def close(self) -> None:
        """Closes the handler, if it is loaded; returns after `CLOSE_TIMEOUT_S` at the latest."""
        if self._handler is None:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.to_thread(self._handler.close)
        except TimeoutError:
            _LOGGER.warning("the engine did not stop within %s s", CLOSE_TIMEOUT_S)

    def get(self) -> InvocationHandler:
        """Raises ModelNotReadyError unless the model is loaded."""
        if self._handler is None:
            raise self._not_ready
        return self._handler


def create_app(load: LoadHandler) -> Starlette:
    """The ASGI application. It serves requests at once, and loads the model in the background."""
    loader = _HandlerLoader(load)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(loader.load())
        yield
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await loader.close()

    async def ping(_request: Request) -> Response:
        loader.get().check()
        return Response(status_code=HTTPStatus.OK)

    async def invocations(request: Request) -> Response:
        handler, body = loader.get(), await request.body()
        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                disconnecting = asyncio.create_task(_expire_on_disconnect(request, timeout))
                try:
                    result = await handler.handle(body)
                finally:
                    disconnecting.cancel()
        except TimeoutError:
            if not timeout.expired():
                raise
            _LOGGER.warning("the client disconnected; the job is cancelled")
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        return Response(result.model_dump_json(), media_type="application/json")

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invocations, methods=["POST"]),
        ],
        exception_handlers={ProblemError: _on_error, Exception: _on_error},
    )


async def _expire_on_disconnect(request: Request, job_timeout: asyncio.Timeout) -> None:
    """Expires the timeout when the client closes the connection; the request's body must have been read.

    The job runs in the request's own task, so that the error that ends it is logged with the job's id.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
    job_timeout.reschedule(asyncio.get_running_loop().time())


async def _on_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return _problem_response(error.problem())
    return _problem_response(
        Problem.of(ErrorCode.INTERNAL, "The container failed; see its log for the reason.")
    )


def _problem_response(problem: Problem) -> Response:
    return Response(problem.model_dump_json(), status_code=problem.status, media_type=CONTENT_TYPE)
