"""One engine out of those of several models."""

import gc
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Lock

from contract.generation import Generation
from inference.engine.errors import EngineClosedError, ModelUnavailableError
from inference.engine.interface import AdapterFile, Engine, GenerationOutput, Inputs, OnStep, UpscaleImage

_LOGGER = logging.getLogger(__name__)

LoadEngine = Callable[[str], Engine]
"""Fetches and loads the model of that name; slow."""

Weigh = Callable[[str], int]
"""The bytes that the weights of the model of that name take on the device; fetches them, which is slow."""


class ModelPool:
    """An engine that draws each generation with the model that it names.

    The first model is loaded at once, every other when it is first asked for, on a thread of its own beside
    what is being drawn. Where a model would exceed the budget, those that have not been asked for the longest
    leave before it is loaded, when they have drawn what they had taken; they come back when they are asked
    for. What could not be loaded is tried again when it is asked for again.
    """

    def __init__(
        self, load: LoadEngine, first: str, *, weigh: Weigh, budget_bytes: int | None = None
    ) -> None:
        """Loads the first model; raises what `load` raises.

        Args:
            load: gives the engine of a model.
            first: the model to begin with.
            weigh: tells how large a model is.
            budget_bytes: what the models' weights may take together; None lets every model stay.
        """
        self._load = load
        self._weigh = weigh
        self._budget = budget_bytes
        engine: Future[Engine] = Future()
        engine.set_result(load(first))
        self._engines = {first: engine}
        self._weights = {first: weigh(first)}
        self._versions = engine.result().versions
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
        self._lock = Lock()
        self._closed = False

    @property
    def versions(self) -> Mapping[str, str]:
        """See `inference.engine.interface.Engine.versions`."""
        return self._versions

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[GenerationOutput]:
        """See `inference.engine.interface.Engine.submit`."""
        with self._lock:
            self._check_open()
            engine = self._engine(generation.model)
            if _is_loaded(engine):
                return engine.result().submit(generation, inputs, on_step)
            promised: Future[GenerationOutput] = Future()
            hand_over = partial(_hand_over, promised, generation, inputs, on_step)
            engine.add_done_callback(partial(copy_context().run, hand_over))
            return promised

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        """See `Engine.upscaler`; the engine of the most recently used model reads it."""
        with self._lock:
            engine = next(reversed(self._engines.values()))
        return engine.result().upscaler(file, pointer=pointer)

    def check(self) -> None:
        """See `inference.engine.interface.Engine.check`."""
        self._check_open()
        with self._lock:
            loaded = self._loaded()
        for engine in loaded.values():
            engine.check()

    def close(self) -> None:
        """See `inference.engine.interface.Engine.close`."""
        with self._lock:
            self._closed = True
        self._loader.shutdown(cancel_futures=True)
        for engine in self._loaded().values():
            engine.close()

    def _engine(self, model: str) -> Future[Engine]:
        """The model's engine; it begins to be loaded if nobody has asked for it or that has failed."""
        engine = self._engines.pop(model, None)
        if engine is None or (engine.done() and not _is_loaded(engine)):
            engine = self._loader.submit(self._load_within_budget, model)
        self._engines[model] = engine  # behind all the others
        return engine

    def _load_within_budget(self, model: str) -> Engine:
        weight = self._weigh(model)
        while (leaving := self._first_to_leave(weight)) is not None:
            leaving.close()
            del leaving
            gc.collect()  # the memory of its weights is wanted now
        self._weights[model] = weight
        return self._load(model)

    def _first_to_leave(self, weight: int) -> Engine | None:
        """The engine to close so that a model of this weight has room, if one is to go; it is let go of."""
        with self._lock:
            loaded = self._loaded()
            taken = sum(self._weights[model] for model in loaded)
            if self._budget is None or not loaded or taken + weight <= self._budget:
                return None
            model = next(iter(loaded))
            _LOGGER.info("the model %s leaves to make room", model)
            del self._engines[model]
            return loaded[model]

    def _check_open(self) -> None:
        if self._closed:
            raise _closed()

    def _loaded(self) -> dict[str, Engine]:
        """The engines that are there, the one that has not been asked for the longest first."""
        return {model: engine.result() for model, engine in self._engines.items() if _is_loaded(engine)}


def _is_loaded(engine: Future[Engine]) -> bool:
    return engine.done() and not engine.cancelled() and engine.exception() is None


def _hand_over(
    promised: Future[GenerationOutput],
    generation: Generation,
    inputs: Inputs,
    on_step: OnStep,
    engine: Future[Engine],
) -> None:
    """Gives the generation to its engine, which has just been loaded, or failed to."""
    if promised.cancelled():
        return
    if engine.cancelled():
        _settle(promised, _closed())
    elif (error := engine.exception()) is not None:
        model = generation.model
        _LOGGER.error("the model %s could not be loaded", model, exc_info=error)
        unavailable = ModelUnavailableError(
            f"The model {model!r} could not be loaded; the container's log says why."
        )
        unavailable.__cause__ = error
        _settle(promised, unavailable)
    else:
        try:
            _follow(promised, engine.result().submit(generation, inputs, on_step))
        except EngineClosedError as closed:
            _settle(promised, closed)


def _follow(promised: Future[GenerationOutput], drawing: Future[GenerationOutput]) -> None:
    """Lets what was promised become the drawing; cancelling it cancels the drawing."""

    def settle(drawing: Future[GenerationOutput]) -> None:
        if drawing.cancelled():
            promised.cancel()
        else:
            _settle(promised, drawing.exception() or drawing.result())

    promised.add_done_callback(lambda promised: promised.cancelled() and drawing.cancel())
    drawing.add_done_callback(settle)


def _settle(promised: Future[GenerationOutput], outcome: GenerationOutput | BaseException) -> None:
    with suppress(InvalidStateError):  # it has been cancelled meanwhile
        if isinstance(outcome, BaseException):
            promised.set_exception(outcome)
        else:
            promised.set_result(outcome)


def _closed() -> EngineClosedError:
    return EngineClosedError("The engine takes no more work; send the request again, to another container.")
