"""Calls in a child process: their limits, their errors, and that nothing is left of them."""

import os
import signal
import threading
import time
from multiprocessing import active_children

import pytest

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.isolation import CrashError, IsolatedCall, Limits, MemoryLimitError, TimeLimitError
from tests.waiting import LIMIT_S

ENOUGH = Limits(seconds=LIMIT_S, memory_bytes=64 << 20)


def call(function: object, *args: object, limits: Limits = ENOUGH) -> object:
    return IsolatedCall(limits, function, *args).result()  # type: ignore[arg-type]


def raise_input_error() -> None:
    raise InputError(ErrorCode.INVALID_INPUT_IMAGE, "#/input_image", "is damaged")


def loop_forever() -> None:
    while True:
        pass


def sleep_forever() -> None:
    time.sleep(10 * LIMIT_S)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_result_comes_from_another_process() -> None:
    assert call(divmod, 7, 3) == (2, 1)
    assert call(os.getpid) != os.getpid()


def test_errors_of_the_function_are_raised_with_their_attributes() -> None:
    with pytest.raises(InputError, match="input_image: is damaged") as raised:
        call(raise_input_error)
    assert raised.value.code is ErrorCode.INVALID_INPUT_IMAGE
    assert raised.value.errors[0].pointer == "#/input_image"


@pytest.mark.parametrize("function", [loop_forever, sleep_forever])
def test_a_function_that_does_not_end_is_stopped(function: object) -> None:
    with pytest.raises(TimeLimitError):
        call(function, limits=Limits(seconds=0.2, memory_bytes=64 << 20))


def test_memory_beyond_the_limit_is_an_error() -> None:
    assert len(call(bytes, 16 << 20)) == 16 << 20  # type: ignore[arg-type]
    with pytest.raises(MemoryLimitError):
        call(bytes, 512 << 20)


def test_a_crash_is_an_error() -> None:
    with pytest.raises(CrashError):
        call(kill_itself)


def test_a_call_that_is_killed_before_it_starts_raises() -> None:
    killed = IsolatedCall(ENOUGH, sleep_forever)
    killed.kill()
    with pytest.raises(CrashError):
        killed.result()
    assert not active_children()


def test_a_killed_call_raises_at_once_and_leaves_no_process() -> None:
    running = IsolatedCall(ENOUGH, sleep_forever)
    killer = threading.Thread(target=running.kill)
    killer.start()
    with pytest.raises(CrashError):
        running.result()
    killer.join(LIMIT_S)
    running.kill()
    assert not active_children()
