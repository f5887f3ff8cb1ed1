"""Log lines of a running server's jobs, and the absence of prompts in them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from contract.identifiers import new_job_id
from contract.request import MAX_PROMPT_CHARACTERS
from inference.engine.errors import OutOfMemoryError
from tests.inference.conftest import Log
from tests.inference.fake_engine import ENVIRONMENT, FakeEngine, create_handler
from tests.waiting import LIMIT_S, wait_until

MARKER = "xyzzy"
PROMPTS = {"prompt": f"a {MARKER} circle", "negative_prompt": f"no {MARKER} squares"}
PARTS = {"fetch": "FetchSeconds", "denoise": "DenoiseSeconds", "encode": "EncodeSeconds"}
PARTS |= {"upload": "UploadSeconds", "total": "TotalSeconds"}


@pytest.fixture
def start(log: Log, serve: Any, s3: Any, engine: FakeEngine) -> Callable[..., httpx.Client]:
    """Starts a server with these changes to the environment, and returns a client."""

    def start(**changes: Any) -> httpx.Client:
        handler = create_handler(engine, s3, ENVIRONMENT.model_copy(update=changes))
        client: httpx.Client = serve(lambda: handler)
        wait_until(lambda: client.get("/ping").status_code == 200)
        return client

    return start


def invoke(client: httpx.Client, **document: Any) -> httpx.Response:
    return client.post("/invocations", json={**PROMPTS, **document})


def jobs_in(log: Log) -> list[dict[str, Any]]:
    return [line for line in log.lines if "Failures" in line]


def test_the_metrics_of_a_job_are_the_durations_of_its_result(
    log: Log, start: Callable[..., httpx.Client]
) -> None:
    client, job_id = start(), new_job_id()
    result = invoke(client, id=job_id, count=2).json()
    (line,) = jobs_in(log)
    assert line["job_id"] == job_id
    assert {part: line[PARTS[part]] for part in result["durations_s"]} == {
        part: [seconds] for part, seconds in result["durations_s"].items()
    }
    total = result["durations_s"].pop("total")
    assert sum(result["durations_s"].values()) <= total + 0.005
    assert (line["Images"], line["Failures"]) == ([2], [0])
    assert line["QueueSeconds"][0] >= 0
    assert (line["Stage"], line["Model"]) == ("local", "demo")


def test_waiting_for_the_engine_counts_in_the_total_but_not_as_denoising(
    serve: Any, s3: Any, engine: FakeEngine
) -> None:
    time_s = [0.0]
    client: httpx.Client = serve(lambda: create_handler(engine, s3, clock=lambda: time_s[0]))
    wait_until(lambda: client.get("/ping").status_code == 200)
    engine.gate.clear()
    engine.seconds = 20
    with ThreadPoolExecutor() as pool:
        response = pool.submit(invoke, client)
        assert engine.started.wait(LIMIT_S)
        time_s[0] = 60.0
        engine.gate.set()
        durations = response.result(LIMIT_S).json()["durations_s"]
    assert (durations["denoise"], durations["total"]) == (20, 60)


@pytest.mark.parametrize(
    ("document", "error", "code"),
    [
        ({"width": 7}, None, "validation_failed"),
        ({"input_image": "s3://data/inputs/none.png"}, None, "input_fetch_failed"),
        ({}, OutOfMemoryError("4 images do not fit"), "out_of_memory"),
        ({}, RuntimeError("broken"), "internal"),
    ],
)
def test_a_failed_job_is_counted_under_its_code(
    log: Log,
    start: Callable[..., httpx.Client],
    engine: FakeEngine,
    document: dict[str, Any],
    error: Exception | None,
    code: str,
) -> None:
    engine.error = error
    assert invoke(start(), **document).json()["code"] == code
    (line,) = jobs_in(log)
    assert (line["Failures"], line["error_code"]) == ([1], code)


def test_an_unexpected_error_is_logged_with_job_id_and_traceback_but_without_its_message(
    log: Log, start: Callable[..., httpx.Client], engine: FakeEngine
) -> None:
    engine.error = ValueError(f"`negative_prompt`: {PROMPTS['negative_prompt']} has batch size 1")
    job_id = new_job_id()
    assert invoke(start(), id=job_id).status_code == 500
    wait_until(lambda: bool(log.lines_with("exception")))
    (line,) = log.lines_with("exception")
    assert line["job_id"] == job_id
    assert "raise self.error" in line["exception"]
    assert "GenerationError: ValueError; its message may quote the prompt" in line["exception"]
    assert MARKER not in log.text


def send_prompts(client: httpx.Client, engine: FakeEngine) -> None:
    """Sends prompts in valid, invalid and malformed requests, and in an error of the engine."""
    assert invoke(client).status_code == 200
    invalid: list[dict[str, Any]] = [
        {"prompt": [MARKER]},
        {"prompt": MARKER * MAX_PROMPT_CHARACTERS},
        {"prompt": {"text": MARKER}},
        {"negative_prompt": 5},
        {MARKER: 1},
        {"sampler": MARKER},
        {"model": MARKER},
        {"seed": MARKER},
        {"input_image": MARKER},
    ]
    for document in invalid:
        assert invoke(client, **document).status_code == 422
    body = json.dumps(PROMPTS)
    malformed = [
        body[:-1],
        body + body,
        f"[{body}]",
        MARKER,
        body.replace("a ", "\\ud800 "),
        f"{MARKER}={body}",
    ]
    for text in malformed:
        assert client.post("/invocations", content=text.encode()).status_code == 400
    assert client.post("/invocations", content=body.encode() + b"\xff").status_code == 400
    assert client.get("/invocations", params={"prompt": MARKER}).status_code == 405
    assert client.post(f"/{MARKER}", json=PROMPTS).status_code == 404
    engine.error = ValueError(f"cannot generate {PROMPTS['prompt']}")
    assert invoke(client).status_code == 500


def test_prompts_are_never_logged(
    log: Log,
    start: Callable[..., httpx.Client],
    engine: FakeEngine,
    capfd: pytest.CaptureFixture[str],
) -> None:
    send_prompts(start(), engine)
    wait_until(lambda: bool(log.lines_with("exception")))
    assert len(jobs_in(log)) == 18
    written = capfd.readouterr()
    assert MARKER not in log.text + written.out + written.err


def test_prompts_are_logged_if_log_prompts_is_set(
    log: Log, start: Callable[..., httpx.Client], engine: FakeEngine
) -> None:
    client = start(log_prompts=True)
    invoke(client)
    (started,) = log.lines_with("prompt")
    assert {name: started[name] for name in PROMPTS} == PROMPTS
    engine.error = ValueError(f"cannot generate {PROMPTS['prompt']}")
    invoke(client)
    wait_until(lambda: bool(log.lines_with("exception")))
    assert f"ValueError: cannot generate {PROMPTS['prompt']}" in log.lines_with("exception")[0]["exception"]
