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

CLOSE_S = 2
"""What the engine is given, once all jobs are answered, to notice that nobody waits for it."""

LoadHandler = Callable[[], InvocationHandler]
"""Loads the model: slow, and run on a thread of its own."""


class ModelNotReadyError(ProblemError):
    """There is no model to draw with: not yet, or not at all."""


class _Model:
    """The model's handler, once it is loaded."""

    def __init__(self, load: LoadHandler) -> None:
        self._load = load
        self._handler: InvocationHandler | None = None
        self._fault = ModelNotReadyError(
            "The model is still being loaded; try again shortly.", code=ErrorCode.MODEL_LOADING
        )

    async def load(self) -> None:
        try:
            self._handler = await asyncio.to_thread(self._load)
        except Exception:
            _LOGGER.exception("the model could not be loaded")
            self._fault = ModelNotReadyError(
                "The model could not be loaded; the container's log says why.",
                code=ErrorCode.MODEL_LOAD_FAILED,
            )

    async def close(self) -> None:
        """Returns when the handler, if there is one, has finished what it does, or time is up."""
        if self._handler is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.to_thread(self._handler.close)
        except TimeoutError:
            _LOGGER.warning("the engine was not done within %d s", CLOSE_S)

    def ready(self) -> InvocationHandler:
        """Raises ModelNotReadyError until the model is loaded."""
        if self._handler is None:
            raise self._fault
        return self._handler


def create_app(load: LoadHandler) -> Starlette:
    """The server. It answers at once; the model is loaded behind it."""
    model = _Model(load)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(model.load())
        yield
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await model.close()

    async def ping(_request: Request) -> Response:
        model.ready().check()
        return Response(status_code=HTTPStatus.OK)

    async def invocations(request: Request) -> Response:
        result = await model.ready().handle(await request.body())
        return Response(result.model_dump_json(), media_type="application/json")

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invocations, methods=["POST"]),
        ],
        exception_handlers={ProblemError: _on_error, Exception: _on_error},
    )


async def _on_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return _answer(error.problem())
    return _answer(Problem.of(ErrorCode.INTERNAL, "The container failed; its log says how."))


def _answer(problem: Problem) -> Response:
    return Response(problem.model_dump_json(), status_code=problem.status, media_type=CONTENT_TYPE)
