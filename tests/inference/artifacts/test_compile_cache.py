from typing import Any

from inference.artifacts.compile_cache import S3CompileCache
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET


def test_the_next_container_on_such_a_machine_finds_what_was_made(s3: Any) -> None:
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-1") is None
    S3CompileCache(s3, BUCKET, "demo").keep("gpu-1", b"code")
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-1") == b"code"
    assert S3CompileCache(s3, BUCKET, "demo").read("gpu-2") is None
    assert S3CompileCache(s3, BUCKET, "other").read("gpu-1") is None


def test_a_bucket_that_refuses_is_a_line_in_the_log(s3: Any, log: Log) -> None:
    code = S3CompileCache(s3, "nobodys-bucket", "demo")
    code.keep("gpu-1", b"code")
    assert code.read("gpu-1") is None
    assert "was not kept" in log.text
    assert "was not read" in log.text
