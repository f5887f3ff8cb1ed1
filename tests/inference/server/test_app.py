"""SageMaker's container protocol over HTTP, with a fake engine."""

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from contract.identifiers import S3Location, new_job_id
from contract.model import ModelDefaults, ModelLimits, ServedModel
from contract.source import S3Source
from inference.data_bucket import DataBucket
from inference.engine.errors import OutOfMemoryError
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET, ENVIRONMENT, FakeEngine, create_handler
from tests.waiting import wait_until


@pytest.fixture
def client(serve: Any, s3: Any, engine: FakeEngine) -> httpx.Client:
    client: httpx.Client = serve(lambda: create_handler(engine, s3))
    wait_until(lambda: client.get("/ping").status_code == 200)
    return client


def invoke(client: httpx.Client, **document: Any) -> httpx.Response:
    return client.post("/invocations", json={"prompt": "x", **document})


def png(size: tuple[int, int], colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format="PNG")
    return buffer.getvalue()


def put_input(s3: Any, body: bytes, name: str = "a.png") -> str:
    s3.put_object(Bucket=BUCKET, Key=f"inputs/{name}", Body=body)
    return f"s3://{BUCKET}/inputs/{name}"


def test_images_are_stored_in_s3_and_the_response_is_the_result_document(
    client: httpx.Client, s3: Any
) -> None:
    job_id = new_job_id()
    response = invoke(client, id=job_id, seed=5, count=2, steps=3, sampler="eular")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    result = response.json()
    assert (result["id"], result["model"], result["sampler"], result["steps"]) == (job_id, "demo", "euler", 3)
    assert [image["seed"] for image in result["images"]] == [5, 6]
    assert (result["versions"], result["batch_size"]) == ({"fake": "1"}, 2)
    assert set(result["durations_s"]) == {"denoise", "encode", "upload", "total"}
    for index, image in enumerate(result["images"]):
        assert image["s3_uri"] == f"s3://data/outputs/{job_id}/{index}.png"
        body = s3.get_object(Bucket=BUCKET, Key=f"outputs/{job_id}/{index}.png")["Body"].read()
        assert hashlib.sha256(body).hexdigest() == image["sha256"]
        stored = Image.open(io.BytesIO(body))
        assert (stored.size, stored.getpixel((0, 0))) == ((128, 128), (5 + index, 0, 0))
        assert (image["width"], image["height"]) == (128, 128)


def test_a_request_without_an_id_gets_one(client: httpx.Client) -> None:
    assert invoke(client).json()["id"] != invoke(client).json()["id"]


def test_image_to_image_keeps_the_aspect_ratio_of_the_input(
    client: httpx.Client, s3: Any, engine: FakeEngine
) -> None:
    response = invoke(client, input_image=put_input(s3, png((300, 150), "blue")), strength=0.5)
    image = response.json()["images"][0]
    assert (image["width"], image["height"]) == (184, 88)
    source = engine.calls[-1][1].image
    assert source is not None
    assert (source.size, source.getpixel((9, 9))) == ((184, 88), (0, 0, 255))
    assert "fetch" in response.json()["durations_s"]


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (None, "input_fetch_failed", "does not exist"),
        (b"not an image", "invalid_input_image", "the image cannot be decoded"),
        (png((400, 300)), "input_image_too_large", "the limit of 100,000 pixels"),
        (b"\0" * 20_001, "input_image_too_large", "20,001 bytes; at most 20,000 are accepted"),
    ],
    ids=["missing", "not an image", "too many pixels", "too many bytes"],
)
def test_an_unusable_input_image_is_reported_and_the_next_job_succeeds(
    client: httpx.Client, s3: Any, engine: FakeEngine, content: bytes | None, code: str, reason: str
) -> None:
    uri = f"s3://{BUCKET}/inputs/none.png" if content is None else put_input(s3, content)
    response = invoke(client, input_image=uri)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert response.json()["code"] == code
    assert reason in response.json()["detail"]
    assert engine.calls == []
    assert invoke(client).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"prompt": ""}', "#/prompt"),
        (b'{"prompt": "x", "id": "../../x"}', "#/id"),
        (b'{"prompt": "x", "width": 1024}', "#/width"),
        (b'{"prompt": "x", "model": "other"}', "#/model"),
        (b'{"prompt": "x", "size": 5}', "#/size"),
    ],
)
def test_an_invalid_request_is_not_submitted_to_the_engine(
    client: httpx.Client, engine: FakeEngine, body: bytes, pointer: str
) -> None:
    response = client.post("/invocations", content=body)
    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert engine.calls == []


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"prompt": "\xff"}'])
def test_a_malformed_body_is_not_submitted_to_the_engine(
    client: httpx.Client, engine: FakeEngine, body: bytes
) -> None:
    response = client.post("/invocations", content=body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_request")
    assert engine.calls == []


def test_a_companion_model_has_its_own_defaults_limits_and_metrics(
    serve: Any, s3: Any, engine: FakeEngine, log: Log
) -> None:
    companion = ServedModel(
        name="anime",
        defaults=ModelDefaults(width=64, height=64, steps=2),
        limits=ModelLimits(max_size=64),
        source=S3Source(uri="s3://models/anime/"),
    )
    environment = ENVIRONMENT.model_copy(update={"companions": (companion,)})
    client = serve(lambda: create_handler(engine, s3, environment))
    wait_until(lambda: client.get("/ping").status_code == 200)
    results = [invoke(client, model=model).json() for model in ("anime", "demo", None)]
    assert [(each["model"], each["images"][0]["width"]) for each in results] == [
        ("anime", 64),
        ("demo", 128),
        ("demo", 128),
    ]
    from_image = invoke(client, model="anime", input_image=put_input(s3, png((150, 150), "blue"))).json()
    assert from_image["images"][0]["width"] == 64
    assert invoke(client, model="anime", width=128).json()["errors"][0]["pointer"] == "#/width"
    assert invoke(client, model="other").json()["detail"] == "model: this endpoint serves only demo, anime"
    counted = [(line["Model"], line["Failures"]) for line in log.lines_with("Failures")]
    assert counted == [
        ("anime", [0]),
        ("demo", [0]),
        ("demo", [0]),
        ("anime", [0]),
        ("anime", [1]),
        ("demo", [1]),
    ]


def test_an_out_of_memory_error_is_reported(client: httpx.Client, engine: FakeEngine) -> None:
    engine.error = OutOfMemoryError("4 images do not fit")
    response = invoke(client)
    assert (response.status_code, response.json()["code"]) == (507, "out_of_memory")


def test_an_unexpected_error_is_reported_without_its_message_and_the_next_job_succeeds(
    client: httpx.Client, engine: FakeEngine
) -> None:
    engine.error = RuntimeError("secret detail")
    response = invoke(client)
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "secret" not in response.text
    engine.error = None
    assert invoke(client).status_code == 200


def test_simultaneous_invocations_are_generated_at_once_each_with_its_own_seed(
    client: httpx.Client, engine: FakeEngine
) -> None:
    engine.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        responses = [pool.submit(invoke, client, seed=seed) for seed in range(8)]
        wait_until(lambda: len(engine.calls) == 8)
        engine.gate.set()
    seeds = [response.result().json()["images"][0]["seed"] for response in responses]
    assert seeds == list(range(8))


def test_progress_is_stored_and_ends_with_uploading(client: httpx.Client, s3: Any) -> None:
    job_id = new_job_id()
    assert invoke(client, id=job_id, steps=4).status_code == 200

    def published() -> Any:
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"progress/{job_id}.json").get("Contents", [])
        return [json.loads(s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()) for each in listed]

    last = {"phase": "uploading", "step": 4, "total_steps": 4, "preview_step": None}
    wait_until(lambda: published() == [last])


def test_if_one_image_cannot_be_stored_the_others_are_deleted(
    client: httpx.Client, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = DataBucket.store_image

    def refuse_the_second(self: DataBucket, location: S3Location, *rest: Any) -> None:
        if location.key.endswith("/1.png"):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        put(self, location, *rest)

    monkeypatch.setattr(DataBucket, "store_image", refuse_the_second)
    assert invoke(client, count=3).status_code == 500
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="outputs/")
