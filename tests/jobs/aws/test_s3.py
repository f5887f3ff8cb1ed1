from datetime import datetime, timedelta
from typing import Any

import botocore.session
import httpx
import pytest
from botocore.config import Config

from contract.identifiers import InvocationId, S3Location
from contract.keys import cancellation_key
from contract.progress import Phase, Progress
from jobs.aws.s3 import S3JobDocuments
from jobs.errors import EndpointUnavailableError, FileTooLargeError, UnreadableDocumentError
from jobs.inline_images import InlineImage
from tests.jobs.fakes import BUCKET, FAILURE, NOW, a_job, a_result


@pytest.fixture
def s3(aws: None) -> Any:
    config = Config(signature_version="s3v4")
    client = botocore.session.get_session().create_client("s3", region_name="us-east-1", config=config)
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def documents(s3: Any) -> S3JobDocuments:
    return S3JobDocuments(s3, BUCKET)


def put(s3: Any, key: str, body: bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def keys_in(s3: Any, bucket: str = BUCKET) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_failed_put_raises_endpoint_unavailable(s3: Any) -> None:
    with pytest.raises(EndpointUnavailableError):
        S3JobDocuments(s3, "no-such-bucket").mark_canceled("J")


def test_an_inline_image_is_stored_with_its_media_type(s3: Any, documents: S3JobDocuments) -> None:
    location = S3Location(BUCKET, "inputs/J/mask_image")
    documents.put_inline_image(InlineImage(location=location, media_type="image/webp", data=b"RIFF"))
    stored = s3.get_object(Bucket=BUCKET, Key=location.key)
    assert (stored["Body"].read(), stored["ContentType"]) == (b"RIFF", "image/webp")


def test_mark_canceled_stores_one_object_under_the_cancellation_key(
    s3: Any, documents: S3JobDocuments
) -> None:
    documents.mark_canceled("J")
    documents.mark_canceled("J")
    assert keys_in(s3) == [cancellation_key("J")]


def test_an_image_is_read_up_to_a_size(s3: Any, documents: S3JobDocuments) -> None:
    uri = put(s3, "outputs/J/0.png", b"image")
    assert documents.read_image(uri, max_bytes=5) == b"image"
    with pytest.raises(FileTooLargeError):
        documents.read_image(uri, max_bytes=4)


def test_a_missing_image_is_none(documents: S3JobDocuments) -> None:
    assert documents.read_image(f"s3://{BUCKET}/outputs/J/0.png", max_bytes=5) is None


def test_missing_progress_is_none(documents: S3JobDocuments) -> None:
    assert documents.read_progress("J") is None


def test_progress_is_read(s3: Any, documents: S3JobDocuments) -> None:
    progress = Progress(phase=Phase.DENOISING, step=3, total_steps=20)
    put(s3, "progress/J.json", progress.model_dump_json().encode())
    assert documents.read_progress("J") == progress


def test_result_and_problem_documents_are_read(s3: Any, documents: S3JobDocuments) -> None:
    result = a_result(a_job().generation)
    assert documents.read_result(put(s3, "results/1", result.model_dump_json().encode())) == result
    assert documents.read_problem(put(s3, "failures/1", FAILURE.model_dump_json().encode())) == FAILURE


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"id": 5}'])
def test_an_object_of_another_schema_is_unreadable(s3: Any, documents: S3JobDocuments, body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match="is not a GenerationResult"):
        documents.read_result(put(s3, "results/1", body))


def test_a_missing_document_is_none(documents: S3JobDocuments) -> None:
    assert documents.read_result("s3://data/results/1") is None
    assert documents.read_problem("s3://data/failures/1") is None


def test_responses_are_found_by_the_id_of_their_invocation(s3: Any, documents: S3JobDocuments) -> None:
    job_id = a_job().id
    first, second = InvocationId(job_id, 1), InvocationId(job_id, 2)
    result = put(s3, f"results/{second}", b"{}")
    failure = put(s3, f"failures/{first}-error.out", b"{}")
    assert (documents.find_result(first), documents.find_result(second)) == (None, result)
    assert (documents.find_failure(first), documents.find_failure(second)) == (failure, None)


def test_delete_removes_the_objects_of_the_job_only(s3: Any, documents: S3JobDocuments) -> None:
    s3.create_bucket(Bucket="team")
    job, other = a_job(count=2, output_s3_uri="s3://team/images/"), a_job(count=2)
    for each in (job, other):
        for key in (
            "inputs/{}/input_image",
            "starts/{}-1",
            "starts/{}-2",
            "progress/{}.json",
            "previews/{}.jpg",
            "cancellations/{}",
            "results/{}-1",
            "failures/{}-2-error.out",
        ):
            put(s3, key.format(each.id), b"x")
    put(s3, f"outputs/{other.id}/0.png", b"x")
    s3.put_object(Bucket="team", Key=f"images/{job.id}/0.png", Body=b"x")
    s3.put_object(Bucket="team", Key="images/another.png", Body=b"x")
    for _ in range(2):
        documents.delete(job.generation)
    remaining = keys_in(s3)
    assert len(remaining) == 9
    assert all(other.id in key for key in remaining)
    assert keys_in(s3, "team") == ["images/another.png"]
    documents.delete(other.generation)
    assert keys_in(s3) == []


def test_objects_that_cannot_be_deleted_raise_endpoint_unavailable(documents: S3JobDocuments) -> None:
    with pytest.raises(EndpointUnavailableError, match="send the request again"):
        documents.delete(a_job(output_s3_uri="s3://no-such-bucket/images/").generation)


def test_a_presigned_link_is_valid_for_an_hour_with_signature_version_4(s3: Any) -> None:
    link = S3JobDocuments(s3, BUCKET, clock=lambda: NOW).presign("s3://data/outputs/J/0.png")
    url = httpx.URL(link.url)
    assert url.path.endswith("outputs/J/0.png")
    assert url.params["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert url.params["X-Amz-Expires"] == "3600"
    assert link.expires_at == (NOW + timedelta(hours=1)).replace(microsecond=0)


@pytest.mark.parametrize(
    ("credentials_end", "expected"),
    [
        (NOW + timedelta(minutes=5), NOW + timedelta(minutes=5)),
        (NOW + timedelta(hours=5), NOW + timedelta(hours=1)),
    ],
)
def test_a_link_ends_with_the_credentials_that_signed_it(
    s3: Any, credentials_end: datetime, expected: datetime
) -> None:
    documents = S3JobDocuments(s3, BUCKET, credentials_end=lambda: credentials_end, clock=lambda: NOW)
    assert documents.presign("s3://data/outputs/J/0.png").expires_at == expected.replace(microsecond=0)


def test_an_upload_form_permits_one_key_with_its_content_type(s3: Any) -> None:
    documents = S3JobDocuments(s3, BUCKET, clock=lambda: NOW)
    form = documents.presign_upload(S3Location(BUCKET, "inputs/c/1.png"), "image/png", 100)
    assert (form.fields["key"], form.fields["Content-Type"]) == ("inputs/c/1.png", "image/png")
    assert form.expires_at == (NOW + timedelta(minutes=15)).replace(microsecond=0)
