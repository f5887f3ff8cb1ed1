"""The one thread that owns the device."""

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
from inference.diffusion.tasks.generation_task import Ticket
from inference.diffusion.tasks.task import Order
from inference.diffusion.upscaling.upscale_task import Enlargement
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaling_loop import Enlarging
from inference.engine.errors import EngineClosedError
from inference.engine.interface import AdapterFile, Drawing, Enlarge, Inputs, OnStep

_LOGGER = logging.getLogger(__name__)


OrderT_contra = TypeVar("OrderT_contra", bound=Order[Any], contravariant=True)


class Work(Protocol[OrderT_contra]):
    """What the device does; only its thread comes here."""

    @property
    def busy(self) -> bool:
        """Whether a turn has anything to do."""
        ...

    def admit(self, order: OrderT_contra, /) -> None:
        """Takes an order on, which answers for what goes wrong."""
        ...

    def turn(self) -> None:
        """Does a little of what is to be done. Orders answer for what goes wrong."""
        ...


class RoundRobin:
    """Steps the workers that have unfinished requests in turn, so that none waits for another to finish."""

    def __init__(self, *workers: Work[Any]) -> None:
        self._workers = deque(workers)

    @property
    def busy(self) -> bool:
        """Whether any worker has unfinished requests."""
        return any(worker.busy for worker in self._workers)

    def turn(self) -> None:
        """Steps the next worker that has unfinished requests, if there is one."""
        for worker in tuple(self._workers):
            self._workers.rotate(-1)
            if worker.busy:
                worker.turn()
                return


class _Arrival(NamedTuple):
    """An order, and what takes it on."""

    order: Order[Any]
    admit: Callable[[], None]


class DeviceThread:
    """An engine: hands orders to the works of a thread of its own, which take turns.

    Should the thread end, by the loss of the device or a fault of this package, every order that waits fails
    and no other is taken.
    """

    def __init__(self, drawing: Work[Ticket], enlarging: Enlarging) -> None:
        self._drawing = drawing
        self._enlarging = enlarging
        self._workers = RoundRobin(drawing, enlarging)
        self._arrivals: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._orders: list[Order[Any]] = []
        self._lock = Lock()
        self._closed = False
        self._messenger = ThreadPoolExecutor(max_workers=1, thread_name_prefix="messenger")
        self._thread = Thread(target=self._run, name="device", daemon=True)
        self._thread.start()

    @property
    def versions(self) -> Mapping[str, str]:
        """Library name to version."""
        return {library.__name__: library.__version__ for library in (diffusers, torch, transformers)}

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[Drawing]:
        """See `inference.engine.interface.Engine.submit`."""
        ticket = Ticket(generation, inputs, on_step, messenger=self._messenger)
        self._take(_Arrival(ticket, partial(self._drawing.admit, ticket)))
        return ticket.future

    def upscaler(self, file: AdapterFile, *, pointer: str) -> Enlarge:
        """See `inference.engine.interface.Engine.upscaler`."""
        return partial(self._enlarge, self._enlarging.upscalers.read(file, pointer=pointer))

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
        self._messenger.shutdown()

    def _enlarge(self, upscaler: Upscaler, image: Image.Image, size: Size) -> Future[Image.Image]:
        enlargement = Enlargement(upscaler, image, size, messenger=self._messenger)
        self._take(_Arrival(enlargement, partial(self._enlarging.admit, enlargement)))
        return enlargement.future

    def _take(self, arrival: _Arrival) -> None:
        with self._lock:
            self.check()
            self._arrivals.put(arrival)

    def _run(self) -> None:
        spare_a_core()
        try:
            with torch.inference_mode():
                while self._take_in():
                    self._workers.turn()
        except BaseException:
            _LOGGER.exception("the device's thread has ended")
        finally:
            self._fail_the_rest()

    def _take_in(self) -> bool:
        """Admits what has arrived, and waits for something to do; False once there never will be."""
        self._orders = [order for order in self._orders if not order.over]
        while True:
            try:
                arrival = self._arrivals.get(block=not self._workers.busy)
            except Empty:
                return True
            if arrival is None:
                return self._finish()
            if not arrival.order.over:
                self._orders.append(arrival.order)
                arrival.admit()

    def _finish(self) -> bool:
        while self._workers.busy:
            self._workers.turn()
        return False

    def _fail_the_rest(self) -> None:
        with self._lock:
            self._closed = True
        while not self._arrivals.empty():
            arrival = self._arrivals.get()
            if arrival is not None:
                self._orders.append(arrival.order)
        for order in self._orders:
            self._messenger.submit(order.fail, _closed())  # after the images that are on their way


def _closed() -> EngineClosedError:
    return EngineClosedError("The engine takes no more work; send the request again, to another container.")
