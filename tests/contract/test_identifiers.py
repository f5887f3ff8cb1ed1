import time

import pytest
from pydantic import TypeAdapter, ValidationError

from contract import keys
from contract.identifiers import JobId, S3Location, created_at, new_job_id

JOB_IDS = TypeAdapter(JobId)


def test_new_job_ids_are_valid_and_sort_by_time() -> None:
    first, second = new_job_id(), new_job_id()
    assert JOB_IDS.validate_python(first) == first
    assert first[:10] <= second[:10]
    assert first != second


def test_the_creation_time_of_a_job_id() -> None:
    before = time.time()
    assert before - 0.001 <= created_at(new_job_id()) <= time.time()
    assert created_at("01ARZ3NDEKTSV4RRFFQ69G5FAV") == 1469922850.259


@pytest.mark.parametrize(
    "text", ["", "../../etc", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01arz3ndektsv4rrffq69g5fav", "a/b"]
)
def test_text_that_is_not_a_ulid_is_refused_as_a_job_id(text: str) -> None:
    with pytest.raises(ValidationError):
        JOB_IDS.validate_python(text)


def test_the_keys_of_a_jobs_objects() -> None:
    assert keys.input_key("J", "mask_image") == "inputs/J/mask_image"
    assert keys.output_key("J", 2, "png") == "outputs/J/2.png"
    assert keys.progress_key("J") == "progress/J.json"
    assert keys.cancellation_key("J") == "cancellations/J"
    assert keys.compiled_key("a10g-1a2b") == "compiled/a10g-1a2b.pt2"


def test_an_s3_uri_is_parsed_and_formatted() -> None:
    location = S3Location.parse("s3://bucket/some/key.png")
    assert location == ("bucket", "some/key.png")
    assert location.uri == "s3://bucket/some/key.png"


@pytest.mark.parametrize(
    "uri", ["", "bucket/key", "s3://", "s3://bucket", "s3://bucket/", "https://a/b", "s3:///key"]
)
def test_other_text_is_refused_as_an_s3_uri(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key"):
        S3Location.parse(uri)
