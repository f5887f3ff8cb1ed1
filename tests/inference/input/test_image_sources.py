import base64
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.problem import ErrorCode
from guarded_http.fetch_scope import FetchScope
from inference.data_bucket import DataBucket
from inference.engine.errors import InputError
from inference.input.image_sources import ImageSources
from inference.input.public_fetcher import PublicFetcher
from tests.inference.fake_engine import BUCKET

MAX_BYTES = 100
WEB = PublicFetcher()
POINTER = "#/controlnets/1/image"


def fetch(uri: str, s3: Any = None) -> bytes:
    target = io.BytesIO()
    sources = ImageSources(DataBucket(s3, BUCKET), WEB, max_bytes=MAX_BYTES)
    sources.fetch(uri, POINTER, target, FetchScope())
    return target.getvalue()


def error_of(uri: str, s3: Any = None) -> InputError:
    with pytest.raises(InputError, match="controlnets/1/image: ") as caught:
        fetch(uri, s3)
    assert [error.pointer for error in caught.value.errors] == [POINTER]
    return caught.value


@given(st.binary(max_size=MAX_BYTES))
def test_a_data_url_is_decoded(data: bytes) -> None:
    assert fetch(f"data:image/png;base64,{base64.b64encode(data).decode()}") == data


@pytest.mark.parametrize("scheme", ["data", "DATA", "Data"])
def test_the_case_of_the_scheme_is_ignored(scheme: str) -> None:
    assert fetch(f"{scheme}:image/png;base64,YWJj") == b"abc"


@pytest.mark.parametrize("text", ["YWJ", "YWJj\n", "YW Jj", "YWJ-", "YWJ%3D", "Ã¤bcd", "===="])
def test_text_that_is_not_strictly_base64_is_refused(text: str) -> None:
    error = error_of(f"data:image/png;base64,{text}")
    assert error.code is ErrorCode.INPUT_FETCH_FAILED
    assert "not valid base64" in error.detail


@pytest.mark.parametrize("size", [MAX_BYTES - 2, MAX_BYTES - 1, MAX_BYTES])
def test_a_data_url_of_up_to_the_limit_is_decoded(size: int) -> None:
    assert fetch(f"data:image/png;base64,{base64.b64encode(bytes(size)).decode()}") == bytes(size)


@given(st.integers(MAX_BYTES + 1, MAX_BYTES + 5))
def test_a_data_url_of_too_many_bytes_is_refused_before_it_is_decoded(size: int) -> None:
    text = base64.b64encode(bytes(size)).decode()
    for payload in (text, "!" + text[1:]):
        assert error_of(f"data:image/png;base64,{payload}").code is ErrorCode.INPUT_IMAGE_TOO_LARGE


def test_an_s3_uri_is_read_from_the_bucket(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"abc")
    assert fetch(f"s3://{BUCKET}/inputs/a", s3) == b"abc"
    assert error_of(f"s3://{BUCKET}/inputs/b", s3).code is ErrorCode.INPUT_FETCH_FAILED


def test_an_https_address_is_fetched_from_the_web() -> None:
    assert "not on the public internet" in error_of("HTTPS://127.0.0.1/a.png").detail
