from collections.abc import Callable
from typing import Any

import pytest

from contract.keys import compiled_key
from inference.artifacts.compile_cache import S3CompileCache
from inference.engine.interface import CompileCache
from tests.inference.artifacts.in_memory_compile_cache import InMemoryCompileCache
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET


@pytest.fixture(params=["S3", "in memory"])
def connect(request: pytest.FixtureRequest, s3: Any) -> Callable[[], CompileCache]:
    """Creates the compile cache of a further container."""
    if request.param == "S3":
        return lambda: S3CompileCache(s3, BUCKET)
    in_memory = InMemoryCompileCache()
    return lambda: in_memory


def test_a_package_is_read_by_another_container(connect: Callable[[], CompileCache]) -> None:
    assert connect().read("gpu-1") is None
    connect().write("gpu-1", b"code")
    assert connect().read("gpu-1") == b"code"
    assert connect().read("gpu-2") is None


def test_a_package_is_replaced(connect: Callable[[], CompileCache]) -> None:
    connect().write("gpu-1", b"old code")
    connect().write("gpu-1", b"code")
    assert connect().read("gpu-1") == b"code"


def test_what_is_not_as_it_was_written_is_not_used(s3: Any, log: Log) -> None:
    cache, key = S3CompileCache(s3, BUCKET), compiled_key("gpu-1")
    cache.write("gpu-1", b"code")
    metadata = s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"other code", Metadata=metadata)
    assert cache.read("gpu-1") is None
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"code")
    assert cache.read("gpu-1") is None
    assert log.text.count("compiled/gpu-1.pt2 is damaged and not used") == 2


def test_errors_of_s3_are_logged_only(s3: Any, log: Log) -> None:
    cache = S3CompileCache(s3, "no-such-bucket")
    cache.write("gpu-1", b"code")
    assert cache.read("gpu-1") is None
    assert "the compile cache could not be written" in log.text
    assert "the compile cache could not be read" in log.text
