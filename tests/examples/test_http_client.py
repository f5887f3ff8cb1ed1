"""http_client.py with the local stack, and with a server that sends scripted responses."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from examples import http_client
from examples.http_client import JobError, JobsApi
from local.web_server import WebServer, listen
from tests.examples.conftest import Run, sizes

NAME = "http_client.py"
QUEUED = {"id": "J", "status": "queued", "phase": "queued", "links": {"self": "/v1/jobs/J"}}
SUCCEEDED = QUEUED | {"status": "succeeded", "phase": None, "images": []}


class Clock:
    """A clock that only `sleep` advances."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(http_client, "time", clock)
    return clock


class ScriptedServer:
    """Sends its responses in order; the last one repeatedly."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.requests: list[tuple[str, str, str | None]] = []

    async def respond(self, request: Request) -> Response:
        await request.body()
        self.requests.append((request.method, request.url.path, request.headers.get("x-api-key")))
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def url(server: ScriptedServer) -> Iterator[str]:
    route = Route("/{path:path}", server.respond, methods=["GET", "POST"])
    web_server = WebServer(Starlette(routes=[route]), listen(0))
    yield web_server.url
    web_server.stop()


@pytest.fixture
def api(url: str, clock: Clock) -> JobsApi:
    return JobsApi(f"{url}/dev", "secret", timeout_s=100)


def job_response(job: Any, retry_after: int | None = 2) -> Response:
    return JSONResponse(job, headers={} if retry_after is None else {"Retry-After": str(retry_after)})


def problem_response(code: ErrorCode, **headers: str) -> Response:
    problem = Problem.of(code, "Details.")
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers={"Content-Type": CONTENT_TYPE, **headers}
    )


def test_the_images_are_saved(run: Run, tmp_path: Path) -> None:
    done = run(NAME, "a red circle", "--fields", '{"count": 2, "steps": 2, "width": 64, "height": 96}')
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path / "out") == [(64, 96), (64, 96)]
    assert ": queued\n" in done.stdout
    assert ": succeeded\n" in done.stdout


def test_an_invalid_request_ends_with_the_problem(run: Run) -> None:
    done = run(NAME, "a red circle", "--fields", '{"width": 100}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: The request is not valid: width: must be a multiple of 8 (validation_failed)\n"
    )


def test_a_wrong_key_ends_with_the_problem(run: Run) -> None:
    done = run(NAME, "a red circle", STABLE_DIFFUSION_API_KEY="wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("error: The request is not authorized: ")


def test_the_error_names_a_missing_environment_variable(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", [NAME, "a red circle"])
    monkeypatch.setenv("STABLE_DIFFUSION_API_URL", "http://127.0.0.1:1")
    with pytest.raises(SystemExit):
        http_client.main()
    assert "the environment variable STABLE_DIFFUSION_API_KEY is not set" in capsys.readouterr().err


def test_a_refused_connection_is_an_error(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with listen(0) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr("sys.argv", [NAME, "a red circle"])
    monkeypatch.setattr("urllib3.Retry.sleep", lambda *_: None)
    monkeypatch.setenv("STABLE_DIFFUSION_API_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("STABLE_DIFFUSION_API_KEY", "secret")
    with pytest.raises(SystemExit, match=r"error: .*Connection refused"):
        http_client.main()


def test_links_are_appended_to_a_url_with_a_stage(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [job_response(QUEUED), job_response(QUEUED), job_response(SUCCEEDED, None)]
    assert [job["status"] for job in api.generate({"prompt": "x"})] == ["queued", "queued", "succeeded"]
    follow = ("GET", "/dev/v1/jobs/J", "secret")
    assert server.requests == [("POST", "/dev/v1/jobs", "secret"), follow, follow]


def test_pauses_are_at_least_retry_after_and_grow(api: JobsApi, server: ScriptedServer, clock: Clock) -> None:
    server.responses = [job_response(QUEUED, 3)] * 6 + [job_response(SUCCEEDED, None)]
    assert list(api.generate({"prompt": "x"}))[-1] == SUCCEEDED
    assert clock.pauses[:3] == [3, 3, 3]
    assert 3 < clock.pauses[3] < clock.pauses[4] < clock.pauses[5]


def test_a_timeout_is_an_error_and_no_pause_exceeds_it(
    api: JobsApi, server: ScriptedServer, clock: Clock
) -> None:
    server.responses = [job_response(QUEUED)]
    with pytest.raises(JobError, match="timed out; job J is still running"):
        list(api.generate({"prompt": "x"}))
    assert 80 < clock.monotonic() <= 100
    assert max(clock.pauses) == 20


def test_a_failed_job_is_an_error_with_its_problem(api: JobsApi, server: ScriptedServer) -> None:
    error = Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce the size.").model_dump(mode="json")
    server.responses = [
        job_response(QUEUED),
        job_response(QUEUED | {"status": "failed", "error": error}, None),
    ]
    with pytest.raises(JobError, match=r": Reduce the size\. \(out_of_memory\)$"):
        list(api.generate({"prompt": "x"}))


def test_a_canceled_job_is_an_error(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [
        job_response(QUEUED),
        job_response(QUEUED | {"status": "canceled", "phase": None}, None),
    ]
    with pytest.raises(JobError, match="job J was canceled"):
        list(api.generate({"prompt": "x"}))


@pytest.mark.parametrize("code", [ErrorCode.TOO_MANY_REQUESTS, ErrorCode.ENDPOINT_UNAVAILABLE])
def test_a_rejected_job_is_sent_again(
    api: JobsApi, server: ScriptedServer, clock: Clock, code: ErrorCode
) -> None:
    server.responses = [
        problem_response(code, **{"Retry-After": "7"}),
        problem_response(code),
        job_response(SUCCEEDED),
    ]
    assert list(api.generate({"prompt": "x"})) == [SUCCEEDED]
    assert clock.pauses == [7, 2]
    assert [method for method, _, _ in server.requests] == ["POST"] * 3


def test_a_job_that_the_firewall_has_refused_for_its_rate_is_sent_again(
    api: JobsApi, server: ScriptedServer, clock: Clock
) -> None:
    headers = {"Content-Type": "application/json", "Retry-After": "60"}
    server.responses = [
        problem_response(ErrorCode.TOO_MANY_REQUESTS, **headers),
        job_response(SUCCEEDED),
    ]
    assert list(api.generate({"prompt": "x"})) == [SUCCEEDED]
    assert clock.pauses == [60]


def test_json_that_is_no_problem_is_an_error_with_its_text(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [JSONResponse({"message": "Forbidden"}, 403)]
    with pytest.raises(JobError, match=r'HTTP 403: {"message":"Forbidden"}'):
        list(api.generate({"prompt": "x"}))


@pytest.mark.parametrize("code", [ErrorCode.INTERNAL, ErrorCode.FORBIDDEN, ErrorCode.MODEL_NOT_FOUND])
def test_other_errors_do_not_repeat_the_submission(
    api: JobsApi, server: ScriptedServer, code: ErrorCode
) -> None:
    server.responses = [problem_response(code)]
    with pytest.raises(JobError, match=str(code)):
        list(api.generate({"prompt": "x"}))
    assert len(server.requests) == 1


def test_following_is_retried_after_an_internal_error(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [job_response(QUEUED), problem_response(ErrorCode.INTERNAL), job_response(SUCCEEDED)]
    assert list(api.generate({"prompt": "x"}))[-1] == SUCCEEDED


def test_another_servers_response_is_an_error_with_its_text(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [Response("<h1>Proxy</h1>", 502)]
    with pytest.raises(JobError, match="HTTP 502: <h1>Proxy</h1>"):
        list(api.generate({"prompt": "x"}))


def test_redirects_are_not_followed(api: JobsApi, server: ScriptedServer) -> None:
    server.responses = [Response(status_code=307, headers={"Location": "/elsewhere"})]
    with pytest.raises(JobError, match="HTTP 307"):
        list(api.generate({"prompt": "x"}))
    assert [path for _, path, _ in server.requests] == ["/dev/v1/jobs"]


def test_an_image_is_downloaded_without_the_key(
    api: JobsApi, server: ScriptedServer, url: str, tmp_path: Path
) -> None:
    server.responses = [Response(b"image")]
    image = {"url": f"{url}/signed", "sha256": hashlib.sha256(b"image").hexdigest()}
    api.download(image, tmp_path / "0.png")
    assert (tmp_path / "0.png").read_bytes() == b"image"
    assert server.requests == [("GET", "/signed", None)]


def test_withheld_images_are_reported_and_others_saved(
    api: JobsApi, server: ScriptedServer, url: str, tmp_path: Path, capsys: Any
) -> None:
    withheld = {"s3_uri": None, "sha256": None, "url": None, "flags": ["nsfw"]}
    sha256 = hashlib.sha256(b"image").hexdigest()
    delivered = {"s3_uri": "s3://b/outputs/J/1.webp", "sha256": sha256, "url": f"{url}/signed", "flags": []}
    server.responses = [job_response(SUCCEEDED | {"images": [withheld, delivered]}), Response(b"image")]
    http_client._generate_and_save(api, {"prompt": "x"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["J-1.webp"]
    assert "image 0 is withheld: nsfw\n" in capsys.readouterr().out


def test_a_damaged_image_is_not_saved(api: JobsApi, server: ScriptedServer, url: str, tmp_path: Path) -> None:
    server.responses = [Response(b"half an ima")]
    image = {"s3_uri": "s3://b/k", "url": f"{url}/signed", "sha256": hashlib.sha256(b"image").hexdigest()}
    with pytest.raises(JobError, match="s3://b/k: the download is damaged"):
        api.download(image, tmp_path / "0.png")
    assert not (tmp_path / "0.png").exists()
