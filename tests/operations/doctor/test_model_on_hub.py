import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from huggingface_hub import HfApi

from contract.source import HubSource
from operations.doctor.check import Status, finding_of
from operations.doctor.model_on_hub import HubRepository, HubToken
from tests.operations.conftest import StubbedAws

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ["model_index.json", "unet/diffusion_pytorch_model.safetensors"]


class FakeHub:
    """The hub's interface to one repository, on loopback."""

    def __init__(self) -> None:
        self.status = 200
        self.error: str | None = None
        self.files = FILES
        self.asked: list[tuple[str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.asked.append((self.path, self.headers.get("authorization")))
                siblings = [{"rfilename": name} for name in hub.files]
                body = json.dumps({"id": "ada/drawing", "sha": COMMIT, "siblings": siblings}).encode()
                self.send_response(hub.status)
                if hub.error:
                    self.send_header("X-Error-Code", hub.error)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def api(self, token: str | None) -> HfApi:
        port = self._server.server_address[1]
        return HfApi(endpoint=f"http://127.0.0.1:{port}", token=token or False)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    fake = FakeHub()
    yield fake
    fake.stop()


def source(token: str | None = None) -> HubSource:
    return HubSource.model_validate({"id": "ada/drawing", "revision": COMMIT, "token_secret_arn": token})


def repository(aws: StubbedAws, hub: FakeHub, token: str | None = None) -> HubRepository:
    return HubRepository(aws, hub.api, "drawing", source(token))


def secret(aws: StubbedAws, **content: Any) -> None:
    answer = {"ARN": ARN, "Name": "hub", **content}
    aws.stub("secretsmanager").add_response("get_secret_value", answer, {"SecretId": ARN})


def test_a_public_repository_is_asked_for_without_a_token(aws: StubbedAws, hub: FakeHub) -> None:
    finding = repository(aws, hub).run()
    assert (finding.status, finding.found) == (Status.PASS, "ada/drawing at 01234567")
    [(path, authorization)] = hub.asked
    assert path.split("?")[0] == f"/api/models/ada/drawing/revision/{COMMIT}"
    assert authorization is None


def test_the_token_is_shown_to_the_hub_and_to_nobody_else(aws: StubbedAws, hub: FakeHub) -> None:
    secret(aws, SecretString="hf_secret\n")
    finding = repository(aws, hub, ARN).run()
    assert finding.status is Status.PASS
    assert hub.asked[0][1] == "Bearer hf_secret"
    assert "hf_secret" not in finding.found


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (403, "GatedRepo", "is gated, and nobody may read it without a token"),
        (404, "RepoNotFound", "the hub shows no ada/drawing without a token"),
        (401, "RepoNotFound", "the hub shows no ada/drawing without a token"),
        (404, "RevisionNotFound", f"has no commit {COMMIT}"),
        (400, None, "the hub answered 400 for ada/drawing"),
    ],
)
def test_a_repository_that_cannot_be_read_fails(
    aws: StubbedAws, hub: FakeHub, status: int, error: str | None, words: str
) -> None:
    hub.status, hub.error = status, error
    finding = repository(aws, hub).run()
    assert finding.status is Status.FAIL
    assert words in finding.found
    assert "https://huggingface.co/" in finding.remedy


def test_a_gated_repository_names_the_token_that_does_not_help(aws: StubbedAws, hub: FakeHub) -> None:
    secret(aws, SecretString="hf_secret")
    hub.status, hub.error = 403, "GatedRepo"
    assert "is gated, and the token may not read it" in repository(aws, hub, ARN).run().found


@pytest.mark.parametrize("files", [[], ["model_index.json"], ["model_index.json", "model.safetensors"]])
def test_a_repository_of_another_kind_fails(aws: StubbedAws, hub: FakeHub, files: list[str]) -> None:
    hub.files = files
    finding = repository(aws, hub).run()
    assert (finding.status, "is no diffusers directory" in finding.found) == (Status.FAIL, True)


def test_without_a_way_to_the_hub_it_is_skipped(aws: StubbedAws, hub: FakeHub) -> None:
    hub.stop()
    finding = repository(aws, hub).run()
    assert (finding.status, "cannot be reached" in finding.found) == (Status.SKIPPED, True)


def test_the_secret_can_be_read(aws: StubbedAws) -> None:
    secret(aws, SecretString="hf_secret")
    finding = HubToken(aws, ARN).run()
    assert (finding.status, finding.found) == (Status.PASS, f"can be read from {ARN}")


@pytest.mark.parametrize(
    "content",
    [{"SecretString": " \n"}, {"SecretString": '{"token": "hf_secret"}'}, {"SecretBinary": b"hf_secret"}],
)
def test_a_secret_without_a_token_alone_fails(aws: StubbedAws, content: Any) -> None:
    secret(aws, **content)
    finding = HubToken(aws, ARN).run()
    assert (finding.status, "does not hold a token alone" in finding.found) == (Status.FAIL, True)


def test_a_missing_secret_fails_once_and_skips_the_repository(aws: StubbedAws, hub: FakeHub) -> None:
    for _ in range(2):
        aws.stub("secretsmanager").add_client_error("get_secret_value", "ResourceNotFoundException")
    token = HubToken(aws, ARN).run()
    assert (token.status, token.found) == (Status.FAIL, f"there is no secret {ARN}")
    assert "create-secret" in token.remedy
    assert repository(aws, hub, ARN).run().status is Status.SKIPPED
    assert hub.asked == []


def test_a_secret_that_one_may_not_read_is_skipped(aws: StubbedAws) -> None:
    aws.deny("secretsmanager", "get_secret_value")
    assert finding_of(HubToken(aws, ARN)).status is Status.SKIPPED
