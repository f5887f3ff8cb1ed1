from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.nn.modules import module

from inference.models.parameter_limit import TooManyParametersError, limit_parameters


def build(layers: int) -> torch.nn.Module:
    with torch.device("meta"):
        return torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(layers)))


def test_as_many_parameters_as_tensors_are_accepted() -> None:
    with limit_parameters(8_000):
        build(4_000)


def test_more_parameters_are_refused() -> None:
    with limit_parameters(100), pytest.raises(TooManyParametersError):
        build(10**9)


def test_other_threads_are_not_limited() -> None:
    with ThreadPoolExecutor(1) as thread, limit_parameters(0):
        assert len(list(thread.submit(build, 1_000).result().parameters())) == 2_000


def test_the_limit_ends_with_the_block() -> None:
    with limit_parameters(0):
        build(1)
    assert len(list(build(1_000).parameters())) == 2_000


def test_beginning_and_ending_a_limit_does_not_disturb_modules_that_other_threads_build() -> None:
    before = list(module._global_parameter_registration_hooks)
    with limit_parameters(1):
        assert list(module._global_parameter_registration_hooks) == before
    assert list(module._global_parameter_registration_hooks) == before
