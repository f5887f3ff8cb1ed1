"""The trial of compiled code: it is used only if its results are right, and if it is not slower."""

import logging
import time
from collections.abc import Callable
from enum import Enum
from statistics import median

import torch

_LOGGER = logging.getLogger(__name__)

_ROUNDS = 5
"""Timed calls of either code."""

_TOLERANCE = 0.05
"""Norm of the difference, relative to that of the eager result. Half precision stays below a third of it, and
wrong weights or shapes are far above."""

Call = Callable[[], torch.Tensor]
MeasureCall = Callable[[Call], tuple[torch.Tensor, float]]
"""Runs a call to its end; returns its result and seconds."""


class Verdict(Enum):
    """The result of a trial."""

    OPEN = "open"
    COMPILED = "compiled"
    EAGER = "eager"


def measure(call: Call) -> tuple[torch.Tensor, float]:
    """The result of a call, and its seconds on the device."""
    _synchronize()
    started_at = time.perf_counter()
    result = call()
    _synchronize()
    return result, time.perf_counter() - started_at


def _synchronize() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.current_stream().synchronize()  # not the device: images are decoded on another stream


class Trial:
    """Runs calls eagerly and compiled in turn, compares them, and decides after some of them."""

    def __init__(self, name: str, measure_call: MeasureCall = measure) -> None:
        """Begins.

        Args:
            name: of the code, for the log.
            measure_call: times a call.
        """
        self._name = name
        self._measure = measure_call
        self._compared = False
        self._seconds: dict[bool, list[float]] = {False: [], True: []}
        self._verdict = Verdict.OPEN
        self._calls = 0

    @property
    def verdict(self) -> Verdict:
        """Of the calls so far."""
        return self._verdict

    @property
    def calls(self) -> int:
        """So far."""
        return self._calls

    def run(self, eager: Call, compiled: Call) -> torch.Tensor:
        """The result of one of the two."""
        self._calls += 1
        if not self._compared:
            return self._compare(eager, compiled)
        uses_compiled = len(self._seconds[True]) < len(self._seconds[False])
        result, seconds = self._measure(compiled if uses_compiled else eager)
        self._seconds[uses_compiled].append(seconds)
        if len(self._seconds[True]) == _ROUNDS:
            self._decide()
        return result

    def reject(self, reason: str) -> None:
        """Ends the trial in favour of the eager code."""
        self._verdict = Verdict.EAGER
        _LOGGER.warning("the compiled UNet for %s is not used: %s", self._name, reason)

    def _compare(self, eager: Call, compiled: Call) -> torch.Tensor:
        expected, actual = eager(), compiled()
        norm = expected.float().norm()
        if norm.isfinite() and norm > 0:
            self._compared = True
            error = float((actual.float() - expected.float()).norm() / norm)
            if not error <= _TOLERANCE:
                self.reject(f"its result differs by {error:.0%}")
        return expected

    def _decide(self) -> None:
        eager, compiled = median(self._seconds[False]), median(self._seconds[True])
        faster = compiled <= eager
        self._verdict = Verdict.COMPILED if faster else Verdict.EAGER
        _LOGGER.info(
            "the compiled UNet for %s is %s",
            self._name,
            "used" if faster else "slower and not used",
            extra={"eager_ms": round(1000 * eager, 2), "compiled_ms": round(1000 * compiled, 2)},
        )
