"""The one thread that owns the device."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Protocol

import diffusers
import torch
import transformers

from inference.contract.generation import Generation
from inference.denoising.cores import spare_a_core
from inference.denoising.ticket import Ticket
from inference.engine import Drawing, EngineClosedError, Inputs, OnStep

_LOGGER = logging.getLogger(__name__)


class Work(Protocol):
    """What the device does; only its thread comes here."""

    @property
    def busy(self) -> bool:
        """Whether a turn has anything to do."""
        ...

    def admit(self, ticket: Ticket) -> None:
        """Takes a generation on. The ticket answers for what goes wrong."""
        ...

    def turn(self) -> None:
        """Does a little of what is to be done. Tickets answer for what goes wrong."""
        ...


class DeviceThread:
    """An engine: hands generations to the work of a thread of its own.

    Should the thread end, by the loss of the device or a fault of this package, every generation that waits
    fails and no other is taken.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._arrivals: SimpleQueue[Ticket | None] = SimpleQueue()
        self._tickets: list[Ticket] = []
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
        """See `inference.engine.Engine.submit`."""
        ticket = Ticket(generation, inputs, on_step, messenger=self._messenger)
        with self._lock:
            self.check()
            self._arrivals.put(ticket)
        return ticket.future

    def check(self) -> None:
        """See `inference.engine.Engine.check`."""
        if self._closed:
            raise _closed()

    def close(self) -> None:
        """See `inference.engine.Engine.close`."""
        with self._lock:
            self._closed = True
        self._arrivals.put(None)
        self._thread.join()
        self._messenger.shutdown()

    def _run(self) -> None:
        spare_a_core()
        try:
            with torch.inference_mode():
                while self._take_in():
                    self._work.turn()
        except BaseException:
            _LOGGER.exception("the device's thread has ended")
        finally:
            self._fail_the_rest()

    def _take_in(self) -> bool:
        """Admits what has arrived, and waits for something to do; False once there never will be."""
        self._tickets = [ticket for ticket in self._tickets if not ticket.over]
        while True:
            try:
                ticket = self._arrivals.get(block=not self._work.busy)
            except Empty:
                return True
            if ticket is None:
                return self._finish()
            if not ticket.over:
                self._tickets.append(ticket)
                self._work.admit(ticket)

    def _finish(self) -> bool:
        while self._work.busy:
            self._work.turn()
        return False

    def _fail_the_rest(self) -> None:
        with self._lock:
            self._closed = True
        while not self._arrivals.empty():
            ticket = self._arrivals.get()
            if ticket is not None:
                self._tickets.append(ticket)
        for ticket in self._tickets:
            self._messenger.submit(ticket.fail, _closed())  # after the images that are on their way


def _closed() -> EngineClosedError:
    return EngineClosedError("The engine takes no more work; send the request again, to another container.")
