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


def test_a_job_id_tells_when_it_was_made() -> None:
    before = time.time()
    assert before - 0.001 <= created_at(new_job_id()) <= time.time()
    assert created_at("01ARZ3NDEKTSV4RRFFQ69G5FAV") == 1469922850.259


@pytest.mark.parametrize(
    "text", ["", "../../etc", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01arz3ndektsv4rrffq69g5fav", "a/b"]
)
def test_what_could_leave_the_jobs_own_keys_is_no_job_id(text: str) -> None:
    with pytest.raises(ValidationError):
        JOB_IDS.validate_python(text)


def test_every_object_of_a_job_has_its_place() -> None:
    assert keys.request_key("J") == "requests/J.json"
    assert keys.output_key("J", 2, "png") == "outputs/J/2.png"
    assert keys.progress_key("J") == "progress/J.json"


def test_an_s3_uri_is_taken_apart_and_put_together() -> None:
    location = S3Location.parse("s3://bucket/some/key.png")
    assert location == ("bucket", "some/key.png")
    assert location.uri == "s3://bucket/some/key.png"


@pytest.mark.parametrize(
    "uri", ["", "bucket/key", "s3://", "s3://bucket", "s3://bucket/", "https://a/b", "s3:///key"]
)
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key"):
        S3Location.parse(uri)
