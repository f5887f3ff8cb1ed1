"""SageMaker's protocol, over real HTTP, around an engine that the tests hold by the hand."""

import hashlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from contract.identifiers import new_job_id
from contract.model import ModelDefaults, ModelLimits, ServedModel
from contract.source import S3Source
from inference.engine.errors import OutOfMemoryError
from inference.invocation.handler import InvocationHandler
from inference.server.app import create_app
from local.web_server import WebServer, listen
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET, ENVIRONMENT, FakeEngine, create_handler
from tests.waiting import LIMIT_S, wait_until


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


def test_the_images_go_to_s3_and_the_answer_is_the_result_document(client: httpx.Client, s3: Any) -> None:
    job_id = new_job_id()
    answer = invoke(client, id=job_id, seed=5, count=2, steps=3, sampler="eular")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    result = answer.json()
    assert (result["id"], result["model"], result["sampler"], result["steps"]) == (job_id, "demo", "euler", 3)
    assert [image["seed"] for image in result["images"]] == [5, 6]
    assert (result["versions"], result["batch_size"]) == ({"fake": "1"}, 2)
    assert set(result["durations_s"]) == {"denoise", "encode", "upload", "total"}
    for index, image in enumerate(result["images"]):
        assert image["s3_uri"] == f"s3://data/outputs/{job_id}/{index}.png"
        body = s3.get_object(Bucket=BUCKET, Key=f"outputs/{job_id}/{index}.png")["Body"].read()
        assert hashlib.sha256(body).hexdigest() == image["sha256"]
        picture = Image.open(io.BytesIO(body))
        assert (picture.size, picture.getpixel((0, 0))) == ((128, 128), (5 + index, 0, 0))
        assert (image["width"], image["height"]) == (128, 128)


def test_a_request_without_an_id_gets_one(client: httpx.Client) -> None:
    assert invoke(client).json()["id"] != invoke(client).json()["id"]


def test_image_to_image_draws_from_the_input_at_its_shape(
    client: httpx.Client, s3: Any, engine: FakeEngine
) -> None:
    answer = invoke(client, input_image=put_input(s3, png((300, 150), "blue")), strength=0.5)
    image = answer.json()["images"][0]
    assert (image["width"], image["height"]) == (184, 88)
    source = engine.calls[-1][1].image
    assert source is not None
    assert (source.size, source.getpixel((9, 9))) == ((184, 88), (0, 0, 255))
    assert "fetch" in answer.json()["durations_s"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "input_fetch_failed", "does not exist"),
        (b"not a picture", "invalid_input_image", "the image cannot be decoded"),
        (png((400, 300)), "input_image_too_large", "the limit of 100,000 pixels"),
        (b"\0" * 20_001, "input_image_too_large", "20,001 bytes; at most 20,000 are accepted"),
    ],
    ids=["missing", "no image", "too many pixels", "too many bytes"],
)
def test_an_input_image_that_cannot_be_used_is_a_problem_and_the_next_job_is_unaffected(
    client: httpx.Client, s3: Any, engine: FakeEngine, content: bytes | None, code: str, words: str
) -> None:
    uri = f"s3://{BUCKET}/inputs/none.png" if content is None else put_input(s3, content)
    answer = invoke(client, input_image=uri)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["code"] == code
    assert words in answer.json()["detail"]
    assert engine.calls == []
    assert invoke(client).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", "#"),
        (b"nonsense", "#"),
        (b"[]", "#"),
        (b'{"prompt": ""}', "#/prompt"),
        (b'{"prompt": "x", "id": "../../x"}', "#/id"),
        (b'{"prompt": "x", "width": 1024}', "#/width"),
        (b'{"prompt": "x", "model": "other"}', "#/model"),
        (b'{"prompt": "x", "size": 5}', "#/size"),
    ],
)
def test_a_wrong_request_never_reaches_the_engine(
    client: httpx.Client, engine: FakeEngine, body: bytes, pointer: str
) -> None:
    answer = client.post("/invocations", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert engine.calls == []


def test_a_companion_draws_by_its_own_defaults_and_limits_and_is_counted_under_its_name(
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
    drawn = [invoke(client, model=model).json() for model in ("anime", "demo", None)]
    assert [(each["model"], each["images"][0]["width"]) for each in drawn] == [
        ("anime", 64),
        ("demo", 128),
        ("demo", 128),
    ]
    shaped = invoke(client, model="anime", input_image=put_input(s3, png((150, 150), "blue"))).json()
    assert shaped["images"][0]["width"] == 64
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


def test_running_out_of_memory_is_said(client: httpx.Client, engine: FakeEngine) -> None:
    engine.error = OutOfMemoryError("4 images do not fit")
    answer = invoke(client)
    assert (answer.status_code, answer.json()["code"]) == (507, "out_of_memory")


def test_a_surprise_leaves_as_an_error_that_says_nothing_of_itself_and_the_next_job_succeeds(
    client: httpx.Client, engine: FakeEngine
) -> None:
    engine.error = RuntimeError("secret detail")
    answer = invoke(client)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    engine.error = None
    assert invoke(client).status_code == 200


def test_ping_answers_while_a_job_is_drawing(client: httpx.Client, engine: FakeEngine) -> None:
    engine.gate.clear()
    with ThreadPoolExecutor() as pool:
        drawn = pool.submit(invoke, client)
        assert engine.started.wait(LIMIT_S)
        assert client.get("/ping").status_code == 200
        assert not drawn.done()
        engine.gate.set()
        assert drawn.result(LIMIT_S).status_code == 200


def test_invocations_at_once_are_drawn_at_once_each_its_own(client: httpx.Client, engine: FakeEngine) -> None:
    engine.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(invoke, client, seed=seed) for seed in range(8)]
        wait_until(lambda: len(engine.calls) == 8)
        engine.gate.set()
    seeds = [answer.result().json()["images"][0]["seed"] for answer in answers]
    assert seeds == list(range(8))


def test_a_container_whose_engine_takes_nothing_more_is_not_healthy(
    client: httpx.Client, engine: FakeEngine
) -> None:
    engine.close()
    assert client.get("/ping").status_code == 503


def test_a_server_that_stops_lets_the_engine_finish(s3: Any, engine: FakeEngine) -> None:
    server = WebServer(create_app(lambda: create_handler(engine, s3)), listen(0))
    wait_until(lambda: httpx.get(f"{server.url}/ping").status_code == 200)
    assert not engine.closed
    server.stop()
    assert engine.closed


def test_progress_is_published_and_its_last_word_is_of_the_end(client: httpx.Client, s3: Any) -> None:
    job_id = new_job_id()
    assert invoke(client, id=job_id, steps=4).status_code == 200

    def published() -> Any:
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"progress/{job_id}.json").get("Contents", [])
        return [json.loads(s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()) for each in listed]

    wait_until(lambda: published() == [{"phase": "uploading", "step": 4, "total_steps": 4}])


def test_until_the_model_is_loaded_the_server_is_not_ready(serve: Any, s3: Any, engine: FakeEngine) -> None:
    loaded = threading.Event()

    def load() -> InvocationHandler:
        assert loaded.wait(LIMIT_S)
        return create_handler(engine, s3)

    client = serve(load)
    assert client.get("/ping").status_code == 503
    assert invoke(client).json()["code"] == "model_loading"
    loaded.set()
    wait_until(lambda: client.get("/ping").status_code == 200)
    assert invoke(client).status_code == 200


def test_a_model_that_cannot_be_loaded_is_said_and_never_ready(serve: Any) -> None:
    def load() -> InvocationHandler:
        raise OSError("no such file: /secret")

    client = serve(load)
    wait_until(lambda: client.get("/ping").json()["code"] == "model_load_failed")
    answer = invoke(client)
    assert (answer.status_code, answer.json()["retryable"]) == (503, False)
    assert "secret" not in answer.text
