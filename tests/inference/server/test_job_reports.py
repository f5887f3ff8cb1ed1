"""Reports of a job to the API while it runs, and the prefix that its images are stored under."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from contract.identifiers import S3Location, new_job_id
from contract.safety import SafetyMode
from inference.data_bucket import DataBucket
from inference.output.postprocessing import Postprocessor
from tests.inference.fake_engine import BUCKET, ENVIRONMENT, FakeEngine, create_handler
from tests.inference.output.test_safety import with_filter
from tests.waiting import LIMIT_S, wait_until

PREFIX = "s3://elsewhere/images/"


@pytest.fixture
def start(serve: Any, s3: Any, engine: FakeEngine) -> Any:
    """Starts a container and returns a client; takes a postprocessor and the output prefixes."""

    def start(postprocessor: Postprocessor | None = None, prefixes: tuple[str, ...] = ()) -> httpx.Client:
        environment = ENVIRONMENT.model_copy(update={"output_prefixes": prefixes})
        handler = create_handler(engine, s3, environment, postprocessor=postprocessor)
        client: httpx.Client = serve(lambda: handler)
        wait_until(lambda: client.get("/ping").status_code == 200)
        return client

    return start


def invoke(client: httpx.Client, **document: Any) -> httpx.Response:
    return client.post("/invocations", json={"prompt": "x", **document})


def keys(s3: Any, prefix: str = "", bucket: str = BUCKET) -> list[str]:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in listed]


def test_the_start_of_an_invocation_is_marked_while_the_job_runs(
    start: Any, s3: Any, engine: FakeEngine
) -> None:
    client, job_id = start(), new_job_id()
    engine.gate.clear()
    thread = threading.Thread(target=invoke, args=(client,), kwargs={"id": job_id, "attempt": 2})
    thread.start()
    try:
        wait_until(lambda: keys(s3, "starts/") == [f"starts/{job_id}-2"])
        assert not engine.gate.is_set()
    finally:
        engine.gate.set()
        thread.join(LIMIT_S)
    assert s3.get_object(Bucket=BUCKET, Key=f"starts/{job_id}-2")["ContentLength"] == 0


def test_a_start_that_cannot_be_stored_neither_delays_nor_fails_the_job(
    start: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(DataBucket, "store_start", lambda *_: released.wait(LIMIT_S))
    try:
        assert invoke(start(), id=new_job_id()).status_code == 200
        assert not released.is_set()
    finally:
        released.set()


@pytest.mark.parametrize("request_fields", [{}, {"id": new_job_id(), "steps": "four"}])
def test_a_request_without_an_id_and_an_invalid_one_have_no_start(
    start: Any, s3: Any, request_fields: dict[str, Any]
) -> None:
    client, job_id = start(), new_job_id()
    invoke(client, **request_fields)
    invoke(client, id=job_id)
    wait_until(lambda: keys(s3, "starts/") == [f"starts/{job_id}-1"])


def progress_of(s3: Any, job_id: str) -> dict[str, Any]:
    document = s3.get_object(Bucket=BUCKET, Key=f"progress/{job_id}.json")["Body"].read()
    return dict(json.loads(document))


def test_a_preview_is_stored_and_then_named_by_the_progress(start: Any, s3: Any, engine: FakeEngine) -> None:
    job_id = new_job_id()
    engine.steps_gate.clear()
    with ThreadPoolExecutor() as pool:
        invoked = pool.submit(invoke, start(), id=job_id, preview=True)
        try:
            wait_until(lambda: keys(s3, "progress/") and progress_of(s3, job_id)["preview_step"] == 1)
        finally:
            engine.steps_gate.set()
        assert invoked.result(LIMIT_S).json()["fallbacks"] == []
    stored = s3.get_object(Bucket=BUCKET, Key=f"previews/{job_id}.jpg")["Body"].read()
    assert Image.open(io.BytesIO(stored)).size == (256, 128)


@pytest.mark.parametrize("request_fields", [{}, {"preview": False}])
def test_without_the_field_preview_none_is_made(start: Any, s3: Any, request_fields: dict[str, Any]) -> None:
    assert invoke(start(), id=new_job_id(), **request_fields).status_code == 200
    assert keys(s3, "previews/") == []


@pytest.mark.parametrize("mode", [SafetyMode.BLUR, SafetyMode.BLOCK])
def test_a_filter_that_changes_or_withholds_images_allows_no_previews_and_the_result_says_so(
    start: Any, s3: Any, engine: FakeEngine, mode: SafetyMode
) -> None:
    result = invoke(start(with_filter(mode)), id=new_job_id(), preview=True).json()
    assert result["fallbacks"] == [
        "no previews: this stage's NSFW filter checks every image before it is shown"
    ]
    assert keys(s3, "previews/") == []
    assert engine.previews == [False]


def test_a_filter_that_only_flags_images_allows_previews(start: Any, s3: Any, engine: FakeEngine) -> None:
    result = invoke(start(with_filter(SafetyMode.FLAG)), id=new_job_id(), preview=True).json()
    assert (result["fallbacks"], engine.previews) == ([], [True])
    wait_until(lambda: len(keys(s3, "previews/")) == 1)


def test_images_are_stored_under_the_jobs_id_at_an_accepted_prefix(start: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="elsewhere")
    job_id = new_job_id()
    uri = f"{PREFIX}mine/"
    result = invoke(start(prefixes=(PREFIX,)), id=job_id, count=2, output_s3_uri=uri).json()
    stored = [f"images/mine/{job_id}/{index}.png" for index in (0, 1)]
    assert keys(s3, bucket="elsewhere") == stored
    assert [image["s3_uri"] for image in result["images"]] == [f"s3://elsewhere/{key}" for key in stored]
    assert keys(s3, "outputs/") == []


def test_if_an_image_cannot_be_stored_at_the_prefix_the_others_are_deleted_there(
    start: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.create_bucket(Bucket="elsewhere")
    put = DataBucket.store_image

    def refuse_the_second(self: DataBucket, location: S3Location, *rest: Any) -> None:
        if location.key.endswith("/1.png"):
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        put(self, location, *rest)

    monkeypatch.setattr(DataBucket, "store_image", refuse_the_second)
    assert invoke(start(prefixes=(PREFIX,)), count=3, output_s3_uri=PREFIX).status_code == 500
    assert keys(s3, bucket="elsewhere") == []


def test_a_prefix_whose_bucket_does_not_exist_is_named_in_the_error(start: Any) -> None:
    response = invoke(start(prefixes=(PREFIX,)), output_s3_uri=PREFIX)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/output_s3_uri")
    assert "its bucket does not exist" in response.json()["detail"]


@pytest.mark.parametrize("prefixes", [(), ("s3://elsewhere/other/",)])
def test_a_prefix_that_the_stage_does_not_accept_is_refused_before_anything_is_generated(
    start: Any, s3: Any, engine: FakeEngine, prefixes: tuple[str, ...]
) -> None:
    response = invoke(start(prefixes=prefixes), id=new_job_id(), output_s3_uri=PREFIX)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/output_s3_uri")
    assert engine.calls == []
    assert keys(s3) == []
