from typing import Any

from inference.artifacts.compile_cache import S3CompileCache
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET


def test_artifacts_are_read_by_another_container_with_the_same_model_and_machine(s3: Any) -> None:
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-1") is None
    S3CompileCache(s3, BUCKET, "demo").write("gpu-1", b"code")
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-1") == b"code"
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-2") is None
    assert S3CompileCache(s3, BUCKET, "other").read("gpu-1") is None


def test_errors_of_s3_are_logged_only(s3: Any, log: Log) -> None:
    cache = S3CompileCache(s3, "no-such-bucket", "demo")
    cache.write("gpu-1", b"code")
    assert cache.read("gpu-1") is None
    assert "the compile cache could not be written" in log.text
    assert "the compile cache could not be read" in log.text
