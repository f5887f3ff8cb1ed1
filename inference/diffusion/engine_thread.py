"""The engine: one thread that owns the GPU and runs every task on it."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Protocol, TypeVar

import diffusers
import torch
import transformers
from PIL import Image

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.modules.torch_threads import spare_a_core
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.tasks.task import EngineTask
from inference.diffusion.upscaling.upscale_task import UpscaleTask
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.errors import EngineClosedError
from inference.engine.interface import AdapterFile, Callbacks, GenerationOutput, Inputs, UpscaleImage

_LOGGER = logging.getLogger(__name__)


TaskT_contra = TypeVar("TaskT_contra", bound=EngineTask[Any], contravariant=True)


class Worker(Protocol[TaskT_contra]):
    """Runs the tasks of one kind. Only the engine thread calls it."""

    @property
    def has_unfinished_requests(self) -> bool:
        """Whether `step` has anything to do."""
        ...

    def add_request(self, task: TaskT_contra, /) -> None:
        """Adds a task; if that raises, the task fails and the worker goes on."""
        ...

    def step(self) -> None:
        """Runs one forward pass; if that raises, the tasks in it fail and the worker goes on."""
        ...


class GenerationWorker(Worker[GenerationTask], Protocol):
    """Runs generations."""

    @property
    def has_room(self) -> bool:
        """Whether another generation could share the next forward pass with those that are running."""
        ...


class RoundRobin:
    """Steps the workers that have unfinished requests in turn, so that none waits for another to finish."""

    def __init__(self, *workers: Worker[Any]) -> None:
        self._workers = deque(workers)

    @property
    def has_unfinished_requests(self) -> bool:
        """Whether any worker has unfinished requests."""
        return any(worker.has_unfinished_requests for worker in self._workers)

    def step(self) -> None:
        """Steps the next worker that has unfinished requests, if there is one."""
        for worker in tuple(self._workers):
            self._workers.rotate(-1)
            if worker.has_unfinished_requests:
                worker.step()
                return


class _Arrival(NamedTuple):
    """A queued task, and the call that adds it to its worker."""

    task: EngineTask[Any]
    add_request: Callable[[], None]


class EngineThread:
    """An engine that queues tasks for the workers of its own thread and steps the workers in turn.

    If the thread ends, because the GPU is lost or by a bug in this package, all unfinished tasks fail with
    EngineClosedError and no new ones are accepted.
    """

    def __init__(
        self,
        generation: GenerationWorker,
        upscaling: UpscalingLoop,
        *,
        kernels: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the thread.

        Args:
            generation: runs the generations.
            upscaling: runs the upscaling tasks.
            kernels: selected for the model, by kind, and its quantization; recorded with the versions.
        """
        self._kernels = kernels or {}
        self._generation = generation
        self._upscaling = upscaling
        self._workers = RoundRobin(generation, upscaling)
        self._arrivals: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._unfinished: list[EngineTask[Any]] = []
        self._lock = Lock()
        self._closed = False
        self._callback_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callbacks")
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def versions(self) -> Mapping[str, str]:
        """See `inference.engine.interface.Engine.versions`."""
        libraries = {library.__name__: library.__version__ for library in (diffusers, torch, transformers)}
        return {**libraries, **self._kernels}

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        """See `inference.engine.interface.Engine.submit`."""
        task = GenerationTask(generation, inputs, callbacks, callback_executor=self._callback_executor)
        self._enqueue(_Arrival(task, partial(self._generation.add_request, task)))
        return task.future

    def upscaler(self, file: AdapterFile, *, pointer: str) -> UpscaleImage:
        """See `inference.engine.interface.Engine.upscaler`."""
        return partial(self._upscale, self._upscaling.upscalers.load(file, pointer=pointer))

    def check(self) -> None:
        """See `inference.engine.interface.Engine.check`."""
        if self._closed:
            raise _closed()

    def close(self) -> None:
        """See `inference.engine.interface.Engine.close`."""
        with self._lock:
            self._closed = True
        self._arrivals.put(None)
        self._thread.join()
        self._callback_executor.shutdown()

    def _upscale(self, upscaler: Upscaler, image: Image.Image, size: Size) -> Future[Image.Image]:
        task = UpscaleTask(upscaler, image, size, callback_executor=self._callback_executor)
        self._enqueue(_Arrival(task, partial(self._upscaling.add_request, task)))
        return task.future

    def _enqueue(self, arrival: _Arrival) -> None:
        with self._lock:
            self.check()
            self._arrivals.put(arrival)

    def _run(self) -> None:
        spare_a_core()
        try:
            with torch.inference_mode():
                while self._add_arrivals():
                    self._workers.step()
        except BaseException:
            _LOGGER.exception("the engine thread has ended")
        finally:
            self._fail_unfinished()

    def _add_arrivals(self) -> bool:
        """Adds queued tasks to their workers, blocking while there is no work; False once closed.

        Tasks that can share the next forward pass are added at once. Once there is no room in it, the running
        tasks wait for one arrival at most.
        """
        self._unfinished = [task for task in self._unfinished if not task.done]
        while True:
            try:
                arrival = self._arrivals.get(block=not self._workers.has_unfinished_requests)
            except Empty:
                return True
            if arrival is None:
                self._finish_requests()
                return False
            if not arrival.task.done:
                self._unfinished.append(arrival.task)
                arrival.add_request()
                if not self._generation.has_room:
                    return True

    def _finish_requests(self) -> None:
        while self._workers.has_unfinished_requests:
            self._workers.step()

    def _fail_unfinished(self) -> None:
        with self._lock:
            self._closed = True
        while not self._arrivals.empty():
            arrival = self._arrivals.get()
            if arrival is not None:
                self._unfinished.append(arrival.task)
        for task in self._unfinished:
            self._callback_executor.submit(task.fail, _closed())  # after the queued callbacks


def _closed() -> EngineClosedError:
    return EngineClosedError("This container is shutting down; send the request again to another container.")
