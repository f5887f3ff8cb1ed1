"""The server while the model is being loaded, at disconnects and at shutdown."""

import asyncio
import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from inference.data_bucket import DataBucket
from inference.invocation.handler import InvocationHandler
from inference.server import app
from inference.server.app import create_app
from local.web_server import WebServer, listen
from tests.inference.conftest import Log
from tests.inference.fake_engine import FakeEngine, create_handler
from tests.waiting import LIMIT_S, wait_until


@pytest.fixture
def client(serve: Any, s3: Any, engine: FakeEngine) -> httpx.Client:
    client: httpx.Client = serve(lambda: create_handler(engine, s3))
    wait_until(lambda: client.get("/ping").status_code == 200)
    return client


def invoke(client: httpx.Client, **document: Any) -> httpx.Response:
    return client.post("/invocations", json={"prompt": "x", **document})


def test_ping_succeeds_while_a_job_runs(client: httpx.Client, engine: FakeEngine) -> None:
    engine.gate.clear()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(invoke, client)
        assert engine.started.wait(LIMIT_S)
        assert client.get("/ping").status_code == 200
        assert not running.done()
        engine.gate.set()
        assert running.result(LIMIT_S).status_code == 200


def test_ping_fails_once_the_engine_is_closed(client: httpx.Client, engine: FakeEngine) -> None:
    engine.close()
    assert client.get("/ping").status_code == 503


def test_stopping_the_server_closes_the_engine(s3: Any, engine: FakeEngine) -> None:
    server = WebServer(create_app(lambda: create_handler(engine, s3)), listen(0))
    wait_until(lambda: httpx.get(f"{server.url}/ping").status_code == 200)
    assert not engine.closed
    server.stop()
    assert engine.closed


def test_until_the_model_is_loaded_requests_fail_with_model_loading(
    serve: Any, s3: Any, engine: FakeEngine
) -> None:
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


def test_if_the_model_cannot_be_loaded_requests_fail_with_model_load_failed(serve: Any) -> None:
    def load() -> InvocationHandler:
        raise OSError("no such file: /secret")

    client = serve(load)
    wait_until(lambda: client.get("/ping").json()["code"] == "model_load_failed")
    response = invoke(client)
    assert (response.status_code, response.json()["retryable"]) == (503, False)
    assert "secret" not in response.text


def test_shutdown_does_not_wait_for_an_engine_that_does_not_stop(
    s3: Any, engine: FakeEngine, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(app, "CLOSE_TIMEOUT_S", 0)
    monkeypatch.setattr(engine, "close", lambda: released.wait(LIMIT_S))
    server = WebServer(create_app(lambda: create_handler(engine, s3)), listen(0))
    wait_until(lambda: httpx.get(f"{server.url}/ping").status_code == 200)
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(server.stop)
        try:
            wait_until(lambda: "the engine did not stop within 0 s" in log.text)
        finally:
            released.set()
        stopping.result(LIMIT_S)


def test_a_job_whose_client_disconnects_is_cancelled(
    client: httpx.Client, engine: FakeEngine, log: Log
) -> None:
    engine.gate.clear()
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=LIMIT_S)
    connection.request("POST", "/invocations", body=b'{"prompt": "x"}')
    assert engine.started.wait(LIMIT_S)
    connection.close()
    wait_until(lambda: "the client disconnected" in log.text)
    engine.gate.set()
    assert invoke(client).status_code == 200
    assert log.text.count('"Failures": [1') == 0


def test_a_timeout_error_inside_a_job_is_not_taken_for_a_disconnect(
    client: httpx.Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(*_arguments: Any) -> str:
        raise TimeoutError

    monkeypatch.setattr(DataBucket, "store_image", time_out)
    response = invoke(client)
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "disconnected" not in log.text


def test_shutdown_does_not_wait_for_a_model_that_is_being_loaded(s3: Any, engine: FakeEngine) -> None:
    started, released = threading.Event(), threading.Event()

    def load() -> InvocationHandler:
        started.set()
        assert released.wait(2 * LIMIT_S)
        return create_handler(engine, s3)

    async def work() -> None:
        application = create_app(load)
        try:
            async with asyncio.timeout(LIMIT_S) as limit, application.router.lifespan_context(application):
                await asyncio.to_thread(started.wait, LIMIT_S)
            assert not limit.expired()
        finally:
            released.set()

    asyncio.run(work())
