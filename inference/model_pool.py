"""One engine out of those of several models."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock

from inference.contract.generation import Generation
from inference.engine import (
    AdapterFile,
    Drawing,
    Engine,
    EngineClosedError,
    Enlarge,
    Inputs,
    ModelUnavailableError,
    OnStep,
)
from inference.logs import ContextThreads

_LOGGER = logging.getLogger(__name__)

LoadEngine = Callable[[str], Engine]
"""Fetches and loads the model of that name; slow."""


class ModelPool:
    """An engine that draws each generation with the model that it names.

    The first model is loaded at once, every other when it is first asked for, on a thread of its own beside
    what is being drawn. What could not be loaded is tried again when it is asked for again.
    """

    def __init__(self, load: LoadEngine, first: str) -> None:
        """Loads the first model; raises what `load` raises."""
        self._load = load
        self._first = load(first)
        self._engines: dict[str, Future[Engine]] = {first: Future()}
        self._engines[first].set_result(self._first)
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
        self._waiting = ContextThreads(thread_name_prefix="waiting")
        self._lock = Lock()
        self._closed = False

    @property
    def versions(self) -> Mapping[str, str]:
        """See `inference.engine.Engine.versions`."""
        return self._first.versions

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[Drawing]:
        """See `inference.engine.Engine.submit`."""
        with self._lock:
            self._check_open()
            engine = self._engine(generation.model)
            if not _is_loaded(engine):
                return _flat(self._waiting.submit(self._submit, engine, generation, inputs, on_step))
        return engine.result().submit(generation, inputs, on_step)

    def upscaler(self, file: AdapterFile, *, pointer: str) -> Enlarge:
        """See `inference.engine.Engine.upscaler`."""
        return self._first.upscaler(file, pointer=pointer)

    def check(self) -> None:
        """See `inference.engine.Engine.check`."""
        self._check_open()
        for engine in self._loaded():
            engine.check()

    def close(self) -> None:
        """See `inference.engine.Engine.close`."""
        with self._lock:
            self._closed = True
        self._loader.shutdown(cancel_futures=True)
        self._waiting.shutdown()
        for engine in self._loaded():
            engine.close()

    def _engine(self, model: str) -> Future[Engine]:
        """The model's engine; it begins to be loaded if nobody has asked for it or that has failed."""
        engine = self._engines.get(model)
        if engine is None or (engine.done() and not _is_loaded(engine)):
            engine = self._engines[model] = self._loader.submit(self._load, model)
        return engine

    def _submit(
        self, engine: Future[Engine], generation: Generation, inputs: Inputs, on_step: OnStep
    ) -> Future[Drawing]:
        """Waits for the engine and hands it the generation."""
        try:
            error = engine.exception()
        except CancelledError:
            raise _closed() from None
        if error is not None:
            model = generation.model
            _LOGGER.error("the model %s could not be loaded", model, exc_info=error)
            raise ModelUnavailableError(
                f"The model {model!r} could not be loaded; the container's log says why."
            ) from error
        return engine.result().submit(generation, inputs, on_step)

    def _check_open(self) -> None:
        if self._closed:
            raise _closed()

    def _loaded(self) -> list[Engine]:
        with self._lock:
            return [engine.result() for engine in self._engines.values() if _is_loaded(engine)]


def _is_loaded(engine: Future[Engine]) -> bool:
    return engine.done() and not engine.cancelled() and engine.exception() is None


def _flat(submission: Future[Future[Drawing]]) -> Future[Drawing]:
    """The drawing that a submission will lead to; cancelling it cancels whichever of the two there is."""
    promised: Future[Drawing] = Future()

    def follow(submission: Future[Future[Drawing]]) -> None:
        error = None if submission.cancelled() else submission.exception()
        if error is not None:
            _settle(promised, error)
        elif not submission.cancelled():
            drawing = submission.result()
            promised.add_done_callback(lambda promised: promised.cancelled() and drawing.cancel())
            drawing.add_done_callback(settle)

    def settle(drawing: Future[Drawing]) -> None:
        if drawing.cancelled():
            promised.cancel()
        else:
            _settle(promised, drawing.exception() or drawing.result())

    promised.add_done_callback(lambda promised: promised.cancelled() and submission.cancel())
    submission.add_done_callback(follow)
    return promised


def _settle(promised: Future[Drawing], outcome: Drawing | BaseException) -> None:
    with suppress(InvalidStateError):  # it has been cancelled meanwhile
        if isinstance(outcome, BaseException):
            promised.set_exception(outcome)
        else:
            promised.set_result(outcome)


def _closed() -> EngineClosedError:
    return EngineClosedError("The engine takes no more work; send the request again, to another container.")
