"""The HTTP API's client: at the local stack, and at a server that answers what a test tells it to."""

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
    """Time that passes only where somebody sleeps."""

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


class Server:
    """Gives its answers one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.requests: list[tuple[str, str, str | None]] = []

    async def answer(self, request: Request) -> Response:
        await request.body()
        self.requests.append((request.method, request.url.path, request.headers.get("x-api-key")))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    route = Route("/{path:path}", server.answer, methods=["GET", "POST"])
    web_server = WebServer(Starlette(routes=[route]), listen(0))
    yield web_server.url
    web_server.stop()


@pytest.fixture
def api(url: str, clock: Clock) -> JobsApi:
    return JobsApi(f"{url}/", "secret", timeout_s=100)


def shown(job: Any, retry_after: int | None = 2) -> Response:
    return JSONResponse(job, headers={} if retry_after is None else {"Retry-After": str(retry_after)})


def refusal(code: ErrorCode, **headers: str) -> Response:
    problem = Problem.of(code, "What happened.")
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers={"Content-Type": CONTENT_TYPE, **headers}
    )


def test_it_saves_the_images_of_its_job(run: Run, tmp_path: Path) -> None:
    done = run(NAME, "a red circle", "--fields", '{"count": 2, "steps": 2, "width": 64, "height": 96}')
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path / "out") == [(64, 96), (64, 96)]
    assert ": queued\n" in done.stdout
    assert ": succeeded\n" in done.stdout


def test_a_refused_request_ends_with_the_problem_in_words(run: Run) -> None:
    done = run(NAME, "a red circle", "--fields", '{"width": 100}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: The request is not valid: width: must be a multiple of 8 (validation_failed)\n"
    )


def test_a_wrong_key_is_told(run: Run) -> None:
    done = run(NAME, "a red circle", STABLE_DIFFUSION_API_KEY="wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("error: The request is not authorized: ")


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", [NAME, "a red circle"])
    monkeypatch.setenv("STABLE_DIFFUSION_API_URL", "http://127.0.0.1:1")
    with pytest.raises(SystemExit):
        http_client.main()
    assert "the environment lacks STABLE_DIFFUSION_API_KEY" in capsys.readouterr().err


def test_an_api_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with listen(0) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr("sys.argv", [NAME, "a red circle"])
    monkeypatch.setattr("urllib3.Retry.sleep", lambda *_: None)
    monkeypatch.setenv("STABLE_DIFFUSION_API_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("STABLE_DIFFUSION_API_KEY", "secret")
    with pytest.raises(SystemExit, match=r"error: .*Connection refused"):
        http_client.main()


def test_every_request_bears_the_key_and_the_job_is_followed_by_its_link(
    api: JobsApi, server: Server
) -> None:
    server.answers = [shown(QUEUED), shown(QUEUED), shown(SUCCEEDED, None)]
    assert [job["status"] for job in api.draw({"prompt": "x"})] == ["queued", "queued", "succeeded"]
    follow = ("GET", "/v1/jobs/J", "secret")
    assert server.requests == [("POST", "/v1/jobs", "secret"), follow, follow]


def test_pauses_are_what_the_server_asks_for_and_grow(api: JobsApi, server: Server, clock: Clock) -> None:
    server.answers = [shown(QUEUED, 3)] * 6 + [shown(SUCCEEDED, None)]
    assert list(api.draw({"prompt": "x"}))[-1] == SUCCEEDED
    assert clock.pauses[:3] == [3, 3, 3]
    assert 3 < clock.pauses[3] < clock.pauses[4] < clock.pauses[5]


def test_time_runs_out_and_no_pause_is_begun_that_would_not_end_before(
    api: JobsApi, server: Server, clock: Clock
) -> None:
    server.answers = [shown(QUEUED)]
    with pytest.raises(JobError, match="job J goes on"):
        list(api.draw({"prompt": "x"}))
    assert 80 < clock.monotonic() <= 100
    assert max(clock.pauses) == 20


def test_a_failed_job_ends_with_its_problem(api: JobsApi, server: Server) -> None:
    error = Problem.of(ErrorCode.OUT_OF_MEMORY, "Ask for fewer pixels.").model_dump(mode="json")
    server.answers = [shown(QUEUED), shown(QUEUED | {"status": "failed", "error": error}, None)]
    with pytest.raises(JobError, match=r"memory: Ask for fewer pixels\. \(out_of_memory\)$"):
        list(api.draw({"prompt": "x"}))


def test_a_canceled_job_ends(api: JobsApi, server: Server) -> None:
    server.answers = [shown(QUEUED), shown(QUEUED | {"status": "canceled", "phase": None}, None)]
    with pytest.raises(JobError, match="job J was canceled"):
        list(api.draw({"prompt": "x"}))


@pytest.mark.parametrize("code", [ErrorCode.TOO_MANY_REQUESTS, ErrorCode.ENDPOINT_UNAVAILABLE])
def test_a_job_that_was_not_taken_is_sent_again(
    api: JobsApi, server: Server, clock: Clock, code: ErrorCode
) -> None:
    server.answers = [refusal(code, **{"Retry-After": "7"}), refusal(code), shown(SUCCEEDED)]
    assert list(api.draw({"prompt": "x"})) == [SUCCEEDED]
    assert clock.pauses == [7, 2]
    assert [method for method, _, _ in server.requests] == ["POST"] * 3


@pytest.mark.parametrize("code", [ErrorCode.INTERNAL, ErrorCode.FORBIDDEN, ErrorCode.MODEL_NOT_FOUND])
def test_a_job_is_not_sent_twice_where_it_may_have_been_taken_or_never_will(
    api: JobsApi, server: Server, code: ErrorCode
) -> None:
    server.answers = [refusal(code)]
    with pytest.raises(JobError, match=str(code)):
        list(api.draw({"prompt": "x"}))
    assert len(server.requests) == 1


def test_following_survives_a_failure_of_the_service(api: JobsApi, server: Server) -> None:
    server.answers = [shown(QUEUED), refusal(ErrorCode.INTERNAL), shown(SUCCEEDED)]
    assert list(api.draw({"prompt": "x"}))[-1] == SUCCEEDED


def test_an_answer_of_something_else_is_shown_as_it_is(api: JobsApi, server: Server) -> None:
    server.answers = [Response("<h1>Proxy</h1>", 502)]
    with pytest.raises(JobError, match="HTTP 502: <h1>Proxy</h1>"):
        list(api.draw({"prompt": "x"}))


def test_the_key_does_not_follow_a_redirection(api: JobsApi, server: Server) -> None:
    server.answers = [Response(status_code=307, headers={"Location": "/elsewhere"})]
    with pytest.raises(JobError, match="HTTP 307"):
        list(api.draw({"prompt": "x"}))
    assert [path for _, path, _ in server.requests] == ["/v1/jobs"]


def test_an_image_is_fetched_without_the_key(api: JobsApi, server: Server, url: str, tmp_path: Path) -> None:
    server.answers = [Response(b"picture")]
    image = {"url": f"{url}/signed", "sha256": hashlib.sha256(b"picture").hexdigest()}
    api.download(image, tmp_path / "0.png")
    assert (tmp_path / "0.png").read_bytes() == b"picture"
    assert server.requests == [("GET", "/signed", None)]


def test_a_withheld_image_is_told_and_the_others_are_saved_by_their_format(
    api: JobsApi, server: Server, url: str, tmp_path: Path, capsys: Any
) -> None:
    withheld = {"s3_uri": None, "sha256": None, "url": None, "flags": ["nsfw"]}
    sha256 = hashlib.sha256(b"picture").hexdigest()
    drawn = {"s3_uri": "s3://b/outputs/J/1.webp", "sha256": sha256, "url": f"{url}/signed", "flags": []}
    server.answers = [shown(SUCCEEDED | {"images": [withheld, drawn]}), Response(b"picture")]
    http_client._draw_and_save(api, {"prompt": "x"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["J-1.webp"]
    assert "image 0 is withheld: nsfw\n" in capsys.readouterr().out


def test_a_damaged_image_is_not_saved(api: JobsApi, server: Server, url: str, tmp_path: Path) -> None:
    server.answers = [Response(b"half a pict")]
    image = {"s3_uri": "s3://b/k", "url": f"{url}/signed", "sha256": hashlib.sha256(b"picture").hexdigest()}
    with pytest.raises(JobError, match="s3://b/k did not arrive as it was drawn"):
        api.download(image, tmp_path / "0.png")
    assert not (tmp_path / "0.png").exists()
