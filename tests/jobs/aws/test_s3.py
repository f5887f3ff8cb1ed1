import json
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from contract.identifiers import S3Location
from contract.keys import cancellation_key
from contract.progress import Phase, Progress
from contract.request import InvocationRequest
from jobs.aws.s3 import S3JobDocuments
from jobs.errors import EndpointUnavailableError, UnreadableDocumentError
from jobs.inline_images import InlineImage
from tests.jobs.fakes import BUCKET, FAILURE, a_job, a_result


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def documents(s3: Any) -> S3JobDocuments:
    return S3JobDocuments(s3, BUCKET)


def put(s3: Any, key: str, body: bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def test_put_request_stores_a_valid_invocation_request(s3: Any, documents: S3JobDocuments) -> None:
    job = a_job(prompt="日本")
    assert documents.put_request(job.generation) == f"s3://data/requests/{job.id}.json"
    stored = s3.get_object(Bucket=BUCKET, Key=f"requests/{job.id}.json")
    assert stored["ContentType"] == "application/json"
    assert InvocationRequest.model_validate_json(stored["Body"].read()).prompt == "日本"


def test_a_failed_put_raises_endpoint_unavailable(s3: Any) -> None:
    with pytest.raises(EndpointUnavailableError):
        S3JobDocuments(s3, "no-such-bucket").put_request(a_job().generation)


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
    listed = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in listed] == [cancellation_key("J")]


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


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", json.dumps({"id": 5}).encode()])
def test_an_object_of_another_schema_is_unreadable(s3: Any, documents: S3JobDocuments, body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match="is not a GenerationResult"):
        documents.read_result(put(s3, "results/1", body))


def test_a_missing_object_is_unreadable(documents: S3JobDocuments) -> None:
    with pytest.raises(UnreadableDocumentError, match="there is no object at s3://data/results/1"):
        documents.read_result("s3://data/results/1")


def test_a_presigned_link_is_valid_for_an_hour_with_signature_version_4(documents: S3JobDocuments) -> None:
    url = httpx.URL(documents.presign("s3://data/outputs/J/0.png"))
    assert url.path.endswith("outputs/J/0.png")
    assert url.params["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert url.params["X-Amz-Expires"] == "3600"
