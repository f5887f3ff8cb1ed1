"""The model pool: an engine that serves several models, loaded on demand within a memory budget."""

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
from inference.engine.interface import AdapterFile, Callbacks, Engine, GenerationOutput, Inputs, UpscaleImage

_LOGGER = logging.getLogger(__name__)

LoadEngine = Callable[[str], Engine]
"""Downloads and loads the model of this name; blocks for minutes."""

WeightBytes = Callable[[str], int]
"""The size of a model's weights in GPU memory; downloads the model, which blocks for minutes."""


class ModelPool:
    """An engine that runs each generation on the model that it names.

    The first model is loaded by the constructor, every other one on a loader thread when it is first used;
    the loaded models go on generating meanwhile. If a model does not fit in the budget, the least recently
    used models finish their queued requests and are unloaded first. A failed load is tried again at the next
    request for the model.
    """

    def __init__(
        self, load: LoadEngine, *, first: str, weight_bytes: WeightBytes, budget_bytes: int | None = None
    ) -> None:
        """Loads the first model.

        Args:
            load: loads a model; its errors on the first model are raised.
            first: name of the first model.
            weight_bytes: the size of a model's weights.
            budget_bytes: limit on the weights of all loaded models; None never unloads a model.
        """
        self._load = load
        self._weight_bytes = weight_bytes
        self._budget = budget_bytes
        engine: Future[Engine] = Future()
        engine.set_result(load(first))
        self._engines = {first: engine}  # the least recently used model first
        self._weights = {first: weight_bytes(first)}
        self._versions = engine.result().versions
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
        self._lock = Lock()
        self._closed = False

    @property
    def versions(self) -> Mapping[str, str]:
        """See `inference.engine.interface.Engine.versions`."""
        return self._versions

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        """See `inference.engine.interface.Engine.submit`."""
        with self._lock:
            self._check_open()
            engine = self._get_or_load(generation.model)
            if _is_loaded(engine):
                return engine.result().submit(generation, inputs, callbacks)
            callbacks.on_model_load()
            output: Future[GenerationOutput] = Future()
            submit = partial(_submit_to_loaded, output, generation, inputs, callbacks)
            engine.add_done_callback(partial(copy_context().run, submit))
            return output

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        """See `Engine.upscaler`; the most recently used engine loads it, if possible one that is loaded."""
        with self._lock:
            loaded = self._loaded() or self._engines
            model = next(reversed(loaded))
            engine = self._engines[model]
        if (error := engine.exception()) is not None:  # waits for a load that has not ended
            raise _unavailable(model, error)
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

    def _get_or_load(self, model: str) -> Future[Engine]:
        """The model's engine, now the most recently used; loads it at first use or after a failure."""
        engine = self._engines.pop(model, None)
        if engine is None or (engine.done() and not _is_loaded(engine)):
            engine = self._loader.submit(self._load_within_budget, model)
        self._engines[model] = engine
        return engine

    def _load_within_budget(self, model: str) -> Engine:
        weight = self._weight_bytes(model)
        while (evicted := self._evict(weight)) is not None:
            evicted.close()
            del evicted
            gc.collect()  # frees the weights before the new model is loaded
        self._weights[model] = weight
        return self._load(model)

    def _evict(self, weight: int) -> Engine | None:
        """Removes the least recently used engine, if `weight` more bytes exceed the budget, for closing."""
        with self._lock:
            loaded = self._loaded()
            used = sum(self._weights[model] for model in loaded)
            if self._budget is None or not loaded or used + weight <= self._budget:
                return None
            model = next(iter(loaded))
            _LOGGER.info("unloading model %s to free memory", model)
            del self._engines[model]
            return loaded[model]

    def _check_open(self) -> None:
        if self._closed:
            raise _closed()

    def _loaded(self) -> dict[str, Engine]:
        """The loaded engines by model, the least recently used first."""
        return {model: engine.result() for model, engine in self._engines.items() if _is_loaded(engine)}


def _is_loaded(engine: Future[Engine]) -> bool:
    return engine.done() and not engine.cancelled() and engine.exception() is None


def _submit_to_loaded(
    output: Future[GenerationOutput],
    generation: Generation,
    inputs: Inputs,
    callbacks: Callbacks,
    engine: Future[Engine],
) -> None:
    """Submits the generation to its engine, whose load has ended; fails `output` if the load failed."""
    if output.cancelled():
        return
    if engine.cancelled():
        _complete(output, _closed())
    elif (error := engine.exception()) is not None:
        _LOGGER.error("model %s could not be loaded", generation.model, exc_info=error)
        _complete(output, _unavailable(generation.model, error))
    else:
        try:
            _chain(output, engine.result().submit(generation, inputs, callbacks))
        except EngineClosedError as closed:
            _complete(output, closed)


def _chain(output: Future[GenerationOutput], source: Future[GenerationOutput]) -> None:
    """Copies the outcome of `source` to `output`; cancelling `output` cancels `source`."""

    def copy_outcome(source: Future[GenerationOutput]) -> None:
        if source.cancelled():
            output.cancel()
        else:
            _complete(output, source.exception() or source.result())

    output.add_done_callback(lambda output: output.cancelled() and source.cancel())
    source.add_done_callback(copy_outcome)


def _complete(output: Future[GenerationOutput], outcome: GenerationOutput | BaseException) -> None:
    with suppress(InvalidStateError):  # it was cancelled in the meantime
        if isinstance(outcome, BaseException):
            output.set_exception(outcome)
        else:
            output.set_result(outcome)


def _unavailable(model: str, cause: BaseException) -> ModelUnavailableError:
    error = ModelUnavailableError(
        f"The model {model!r} could not be loaded; see the container's log for the reason."
    )
    error.__cause__ = cause
    return error


def _closed() -> EngineClosedError:
    return EngineClosedError("This container is shutting down; send the request again to another container.")
