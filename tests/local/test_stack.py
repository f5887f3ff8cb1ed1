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


def test_the_stage_is_synthesized_for_the_emulated_account_with_the_given_model_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = {"models": [{"name": "demo"}], "environment": {"account": "123456789012", "region": "eu-central-1"}}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"stages": {"dev": dev}}}))
    (tmp_path / "app.py").write_text(
        "import os, pathlib\n"
        "pathlib.Path(os.environ['CDK_OUTDIR']).write_text(os.environ['CDK_CONTEXT_JSON'])"
    )
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    stack._synthesize(tmp_path / "context.json", {"request_ttl_s": 120})
    context = json.loads((tmp_path / "context.json").read_text())
    emulated = {"account": "000000000000", "region": "us-east-1"}
    models = [{"name": "demo", "request_ttl_s": 120}]
    assert context == {"stage": "dev", "stages": {"dev": {"models": models, "environment": emulated}}}
