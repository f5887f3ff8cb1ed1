import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from huggingface_hub import HfApi

from contract.model import ModelDefaults, ServedModel
from contract.source import HubSource
from operations.doctor.check import Status, run_check
from operations.doctor.model_on_hub import HubRepository, HubToken
from tests.operations.doctor.conftest import StubbedAws

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ["model_index.json", "unet/diffusion_pytorch_model.safetensors"]


class FakeHub:
    """A server on loopback that responds like the Hub's API for one repository."""

    def __init__(self) -> None:
        self.status = 200
        self.error: str | None = None
        self.files = FILES
        self.pipeline = "StableDiffusionPipeline"
        self.requests: list[tuple[str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.requests.append((self.path, self.headers.get("authorization")))
                siblings = [{"rfilename": name} for name in hub.files]
                config = {"diffusers": {"_class_name": hub.pipeline}}
                body = json.dumps(
                    {"id": "ada/model", "sha": COMMIT, "siblings": siblings, "config": config}
                ).encode()
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
    return HubSource.model_validate({"id": "ada/model", "revision": COMMIT, "token_secret_arn": token})


def repository(aws: StubbedAws, hub: FakeHub, token: str | None = None, *, side: int = 512) -> HubRepository:
    return HubRepository(
        aws,
        hub.api,
        ServedModel(name="model", defaults=ModelDefaults(width=side, height=side)),
        source(token),
    )


def secret(aws: StubbedAws, **content: Any) -> None:
    response = {"ARN": ARN, "Name": "hub", **content}
    aws.stub("secretsmanager").add_response("get_secret_value", response, {"SecretId": ARN})


def test_a_public_repository_is_requested_without_a_token(aws: StubbedAws, hub: FakeHub) -> None:
    result = repository(aws, hub).run()
    assert (result.status, result.message) == (Status.PASS, "ada/model at 01234567")
    [(path, authorization)] = hub.requests
    assert path.split("?")[0] == f"/api/models/ada/model/revision/{COMMIT}"
    assert authorization is None


def test_the_token_is_sent_to_the_hub_and_not_reported(aws: StubbedAws, hub: FakeHub) -> None:
    secret(aws, SecretString="hf_secret\n")
    result = repository(aws, hub, ARN).run()
    assert result.status is Status.PASS
    assert hub.requests[0][1] == "Bearer hf_secret"
    assert "hf_secret" not in result.message


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (403, "GatedRepo", "is gated, and no token is set"),
        (404, "RepoNotFound", "ada/model does not exist or needs a token"),
        (401, "RepoNotFound", "ada/model does not exist or needs a token"),
        (404, "RevisionNotFound", f"has no commit {COMMIT}"),
        (400, None, "the Hub returned 400 for ada/model"),
    ],
)
def test_a_repository_that_cannot_be_read_fails(
    aws: StubbedAws, hub: FakeHub, status: int, error: str | None, message: str
) -> None:
    hub.status, hub.error = status, error
    result = repository(aws, hub).run()
    assert result.status is Status.FAIL
    assert message in result.message
    assert "https://huggingface.co/" in result.remedy


def test_a_gated_repository_fails_if_the_token_has_no_access(aws: StubbedAws, hub: FakeHub) -> None:
    secret(aws, SecretString="hf_secret")
    hub.status, hub.error = 403, "GatedRepo"
    assert "is gated, and the token has no access" in repository(aws, hub, ARN).run().message


@pytest.mark.parametrize("files", [[], ["model_index.json"], ["model_index.json", "model.safetensors"]])
def test_a_repository_without_a_diffusers_model_fails(
    aws: StubbedAws, hub: FakeHub, files: list[str]
) -> None:
    hub.files = files
    result = repository(aws, hub).run()
    assert (result.status, "is not a diffusers directory" in result.message) == (Status.FAIL, True)


def test_an_unreachable_hub_skips_the_check(aws: StubbedAws, hub: FakeHub) -> None:
    hub.stop()
    result = repository(aws, hub).run()
    assert (result.status, "cannot be reached" in result.message) == (Status.SKIPPED, True)


def test_a_secret_with_a_token_passes(aws: StubbedAws) -> None:
    secret(aws, SecretString="hf_secret")
    result = HubToken(aws, ARN).run()
    assert (result.status, result.message) == (Status.PASS, f"read from {ARN}")


@pytest.mark.parametrize(
    "content",
    [{"SecretString": " \n"}, {"SecretString": '{"token": "hf_secret"}'}, {"SecretBinary": b"hf_secret"}],
)
def test_a_secret_whose_text_is_not_a_token_fails(aws: StubbedAws, content: Any) -> None:
    secret(aws, **content)
    result = HubToken(aws, ARN).run()
    assert (result.status, "is not a token" in result.message) == (Status.FAIL, True)


def test_a_missing_secret_fails_and_the_repository_is_skipped(aws: StubbedAws, hub: FakeHub) -> None:
    for _ in range(2):
        aws.stub("secretsmanager").add_client_error("get_secret_value", "ResourceNotFoundException")
    token = HubToken(aws, ARN).run()
    assert (token.status, token.message) == (Status.FAIL, f"the secret {ARN} does not exist")
    assert "create-secret" in token.remedy
    assert repository(aws, hub, ARN).run().status is Status.SKIPPED
    assert hub.requests == []


def test_without_permission_for_the_secret_the_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("secretsmanager", "get_secret_value")
    assert run_check(HubToken(aws, ARN)).status is Status.SKIPPED


@pytest.mark.parametrize(("side", "status"), [(512, Status.WARN), (1024, Status.PASS)])
def test_an_sdxl_model_with_a_small_default_size_is_a_warning(
    aws: StubbedAws, hub: FakeHub, side: int, status: Status
) -> None:
    hub.pipeline = "StableDiffusionXLPipeline"
    result = repository(aws, hub, side=side).run()
    assert result.status is status
    if status is Status.WARN:
        assert "get 512x512, but StableDiffusionXLPipeline was trained with 1024x1024" in result.message
        assert '"defaults": {"width": 1024, "height": 1024}' in result.remedy
