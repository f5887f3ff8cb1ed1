from collections.abc import Iterator

import pytest

from inference.engine.model_pool import ModelPool
from tests.inference.engine.pool_harness import FakeLoader


@pytest.fixture
def loader() -> FakeLoader:
    return FakeLoader()


@pytest.fixture
def pool(loader: FakeLoader) -> Iterator[ModelPool]:
    """A pool without a budget."""
    pool = ModelPool(loader, first="first", weight_bytes=lambda model: 1)
    yield pool
    loader.gate.set()
    pool.close()


@pytest.fixture
def small_pool(loader: FakeLoader) -> Iterator[ModelPool]:
    """A pool with a budget for two models, or for `giant` alone."""
    loader.gate.set()
    pool = ModelPool(
        loader, first="first", weight_bytes=lambda model: 2 if model == "giant" else 1, budget_bytes=2
    )
    yield pool
    pool.close()
