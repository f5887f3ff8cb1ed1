import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import stack
from local.aws import LocalAws


class MotoAws(LocalAws):
    """AWS as mocked by moto."""

    def client(self, service: str, *_: Any, **__: Any) -> Any:
        create: Any = boto3.client
        return create(service)


def test_the_demo_model_is_uploaded_for_every_model_of_the_stage_and_so_are_the_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [{"name": "demo", "companions": [{"name": "anime"}]}, {"name": "other"}]
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"stages": {"dev": {"models": models}}}}))
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="models")
        stack.upload_models(MotoAws(url="http://127.0.0.1:1", certificate=None), "models")
        keys = {each["Key"] for each in s3.list_objects_v2(Bucket="models")["Contents"]}
    assert {"demo/model_index.json", "anime/model_index.json", "other/model_index.json"} <= keys
    assert "adapters/loras/moon.safetensors" in keys
    assert {key.partition("/")[0] for key in keys} == {"demo", "anime", "other", "adapters"}


def synthesized_stage(root: Path, monkeypatch: pytest.MonkeyPatch, stage: Any, **model_settings: Any) -> Any:
    """The stage that app.py receives for a stage of cdk.json."""
    (root / "cdk.json").write_text(json.dumps({"context": {"stages": {"dev": stage}}}))
    (root / "app.py").write_text(
        "import os, pathlib\n"
        "pathlib.Path(os.environ['CDK_OUTDIR']).write_text(os.environ['CDK_CONTEXT_JSON'])"
    )
    monkeypatch.setattr(stack, "ROOT", root)
    stack._synthesize(root / "context.json", model_settings, port=8080)
    context = json.loads((root / "context.json").read_text())
    assert context["stage"] == "dev"
    return context["stages"]["dev"]


@pytest.fixture
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").touch()
    monkeypatch.setattr(stack, "PAGE", tmp_path)


@pytest.mark.usefixtures("_built")
def test_the_stage_is_synthesized_for_the_emulated_account_with_the_given_model_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = {"models": [{"name": "demo"}], "environment": {"account": "123456789012", "region": "eu-central-1"}}
    stage = synthesized_stage(tmp_path, monkeypatch, dev, request_ttl_s=120)
    assert stage["environment"] == {"account": "000000000000", "region": "us-east-1"}
    assert stage["models"] == [{"name": "demo", "request_ttl_s": 120}]
    assert "web" not in stage


@pytest.mark.usefixtures("_built")
def test_the_page_of_the_gateway_may_use_the_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "https://images.example.com"
    dev = {"models": [{"name": "demo"}], "api": {"allowed_origins": [other]}}
    stage = synthesized_stage(tmp_path, monkeypatch, dev)
    assert stage["api"]["allowed_origins"] == [other, "http://127.0.0.1:8080", "http://localhost:8080"]


def test_the_page_is_left_out_if_it_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "PAGE", tmp_path)
    assert synthesized_stage(tmp_path, monkeypatch, {"models": [{"name": "demo"}]})["web"] is None
