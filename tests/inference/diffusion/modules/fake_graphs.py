"""A recorder of calls without CUDA, whose recordings keep the weights of their time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from inference.diffusion.modules.cuda_graphs import Recording

_T = TypeVar("_T")


class FakeGraphs:
    """Recordings that are as fixed as CUDA graphs.

    They read the tensors of their time, whose contents may change, with the constants of their time, and
    every replay overwrites the results of all recordings.

    Attributes:
        recorded: the number of calls to `record`.
        replayed: the number of replays.
        released: the number of recordings released.
        error: raised by `record`, unless None.
        needed: what every call is said to need, in bytes.
        free: what is said to be free without recordings, in bytes.
    """

    def __init__(self, subject: Any) -> None:
        """Takes the module that calls run, or another object with tensors and constants as attributes."""
        self._subject = subject
        self._outputs: list[torch.Tensor] = []
        self.recorded = 0
        self.replayed = 0
        self.released = 0
        self.error: Exception | None = None
        self.needed = 0
        self.free = 64 << 30

    @property
    def kept(self) -> int:
        """The number of recordings that are not released."""
        return len(self._outputs)

    def record(self, call: Callable[[], torch.Tensor]) -> Recording:
        self.recorded += 1
        output = torch.full_like(call(), torch.nan)
        if self.error is not None:
            raise self.error
        self._outputs.append(output)
        return FakeRecording(self, call, output, _attributes(self._subject))

    def measure(self, call: Callable[[], _T]) -> tuple[_T, int]:
        return call(), self.needed

    def free_bytes(self) -> int:
        return self.free - (self.needed if self.kept else 0)

    def overwrite_outputs(self) -> None:
        self.replayed += 1
        for output in self._outputs:
            output.fill_(torch.nan)

    def forget(self, output: torch.Tensor) -> None:
        self.released += 1
        self._outputs = [each for each in self._outputs if each is not output]


class FakeRecording:
    """A recording of `FakeGraphs`."""

    def __init__(
        self, graphs: FakeGraphs, call: Callable[[], torch.Tensor], output: torch.Tensor, frozen: Any
    ) -> None:
        self._graphs = graphs
        self._call = call
        self._output = output
        self._frozen = frozen
        self._released = False

    def replay(self) -> torch.Tensor:
        assert not self._released
        self._graphs.overwrite_outputs()
        with _restored(self._frozen):
            self._output.copy_(self._call())
        return self._output

    def release(self) -> None:
        assert not self._released
        self._released = True
        self._graphs.forget(self._output)


def _attributes(subject: Any) -> list[tuple[Any, dict[str, Any]]]:
    """The attributes of an object or of all modules in it: the same tensors, in copies of containers."""
    owners = list(subject.modules()) if isinstance(subject, torch.nn.Module) else [subject]
    return [
        (
            owner,
            {
                name: value.copy() if type(value) in (dict, list, set) else value
                for name, value in vars(owner).items()
            },
        )
        for owner in owners
    ]


@contextmanager
def _restored(frozen: list[tuple[Any, dict[str, Any]]]) -> Iterator[None]:
    now = [(owner, dict(vars(owner))) for owner, _ in frozen]
    for owner, attributes in frozen:
        vars(owner).clear()
        vars(owner).update(attributes)
    try:
        yield
    finally:
        for owner, attributes in now:
            vars(owner).clear()
            vars(owner).update(attributes)
