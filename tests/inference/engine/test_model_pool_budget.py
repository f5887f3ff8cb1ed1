"""The model pool: the memory budget, and upscalers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.engine.errors import ModelUnavailableError
from inference.engine.model_pool import ModelPool
from tests.inference.engine.pool_harness import UPSCALER, FakeLoader, submit
from tests.waiting import LIMIT_S


def test_the_least_recently_used_model_is_unloaded_if_the_budget_is_exceeded(
    small_pool: ModelPool, loader: FakeLoader
) -> None:
    for model in ("anime", "first", "photo"):
        submit(small_pool, model).result(LIMIT_S)
    closed = {name: engine.closed for name, engine in loader.engines.items()}
    assert closed == {"first": False, "anime": True, "photo": False}
    submit(small_pool, "anime").result(LIMIT_S)
    assert loader.loads == ["first", "anime", "photo", "anime"]
    assert loader.engines["first"].closed


def test_all_other_models_are_unloaded_for_a_model_that_needs_the_whole_budget(
    small_pool: ModelPool, loader: FakeLoader
) -> None:
    submit(small_pool, "anime").result(LIMIT_S)
    submit(small_pool, "giant").result(LIMIT_S)
    assert loader.engines["first"].closed
    assert loader.engines["anime"].closed
    small_pool.check()


def test_models_that_unload_each_other_complete_every_request(
    small_pool: ModelPool, loader: FakeLoader
) -> None:
    models = [model for _ in range(3) for model in ("first", "anime", "photo", "giant")]
    futures = [submit(small_pool, model) for model in models]
    assert all(len(future.result(LIMIT_S).images) == 1 for future in futures)


def test_an_upscaler_is_loaded_by_the_most_recently_used_engine(pool: ModelPool, loader: FakeLoader) -> None:
    loader.gate.set()
    for model in ("anime", "first", "anime"):
        submit(pool, model).result(LIMIT_S)
    pool.upscaler(UPSCALER, pointer="#/upscale/upscaler")
    assert loader.engines["anime"].upscalers == [UPSCALER]
    assert loader.engines["first"].upscalers == []


def test_an_upscaler_does_not_wait_for_a_model_that_is_being_loaded(
    pool: ModelPool, loader: FakeLoader
) -> None:
    submit(pool, "anime")
    with ThreadPoolExecutor() as threads:
        upscaler = threads.submit(pool.upscaler, UPSCALER, pointer="#/upscale/upscaler")
        try:
            upscaler.result(LIMIT_S)
        finally:
            loader.gate.set()
    assert loader.engines["first"].upscalers == [UPSCALER]


def test_an_upscaler_can_be_loaded_after_a_model_failed_to_load(pool: ModelPool, loader: FakeLoader) -> None:
    loader.gate.set()
    loader.error = OSError("no such file")
    with pytest.raises(ModelUnavailableError):
        submit(pool, "anime").result(LIMIT_S)
    pool.upscaler(UPSCALER, pointer="#/upscale/upscaler")
    assert loader.engines["first"].upscalers == [UPSCALER]


def test_an_upscaler_fails_if_the_only_model_could_not_be_loaded(
    small_pool: ModelPool, loader: FakeLoader
) -> None:
    loader.error = OSError("no such file")
    with pytest.raises(ModelUnavailableError):
        submit(small_pool, "giant").result(LIMIT_S)
    with pytest.raises(ModelUnavailableError, match="'giant'"):
        small_pool.upscaler(UPSCALER, pointer="#/upscale/upscaler")
