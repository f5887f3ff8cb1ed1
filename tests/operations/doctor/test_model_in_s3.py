import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from safetensors.numpy import save

from contract.source import S3Source
from operations.doctor.check import Status, finding_of
from operations.doctor.model_directory import components, faults, weights
from operations.doctor.model_in_s3 import ModelFiles, ModelLocation, ModelWeights
from tests.operations.conftest import StubbedAws

BUCKET = "my-models"
WEIGHTS = save({"weight": np.ones((2, 3), np.float16)})
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "PNDMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
FILES = {
    "model_index.json": json.dumps(INDEX).encode(),
    "scheduler/scheduler_config.json": b"{}",
    "tokenizer/vocab.json": b"{}",
    "unet/diffusion_pytorch_model-00001-of-00002.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model-00002-of-00002.safetensors": WEIGHTS,
    "vae/diffusion_pytorch_model.safetensors": WEIGHTS,
}


class Bucket:
    """An S3 of moto's, with the stacks of stubs."""

    def __init__(self, s3: Any, stacks: StubbedAws) -> None:
        self.region = "us-east-1"
        self.s3 = s3
        self._stacks = stacks

    def client(self, service: str, region: str | None = None) -> Any:
        return self.s3 if service == "s3" else self._stacks.client(service, region)

    def put(self, files: dict[str, bytes], prefix: str = "sd/") -> None:
        for path, content in files.items():
            self.s3.put_object(Bucket=BUCKET, Key=prefix + path, Body=content)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def bucket(s3: Any, aws: StubbedAws) -> Iterator[Bucket]:
    yield Bucket(s3, aws)
    for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])


def location(bucket: Bucket, uri: str | None = f"s3://{BUCKET}/sd/") -> ModelLocation:
    return ModelLocation(bucket, "dev", "sd", S3Source(uri=uri))


def without(*paths: str, **more: bytes) -> dict[str, bytes]:
    return {path: content for path, content in FILES.items() if path not in paths} | more


def test_a_complete_directory_passes_both_checks(bucket: Bucket) -> None:
    bucket.put(FILES)
    files, loaded = ModelFiles(location(bucket)).run(), ModelWeights(location(bucket)).run()
    assert (files.status, loaded.status) == (Status.PASS, Status.PASS)
    assert files.found == f"StableDiffusionPipeline, 0.00 GB in 6 files at s3://{BUCKET}/sd/"
    assert loaded.found == "3 tensors in 3 files, by their headers"


def test_the_demo_model_passes_both_checks(bucket: Bucket, demo_model: Path) -> None:
    paths = [path for path in demo_model.rglob("*") if path.is_file()]
    bucket.put({path.relative_to(demo_model).as_posix(): path.read_bytes() for path in paths})
    assert ModelFiles(location(bucket)).run().status is Status.PASS
    assert ModelWeights(location(bucket)).run().status is Status.PASS


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no model_index.json"),
        (without("model_index.json"), "has no model_index.json"),
        (without(**{"model_index.json": b"<html>"}), "is not a JSON object"),
        (without(**{"model_index.json": b"[]"}), "is not a JSON object"),
        (without(**{"model_index.json": b"{}"}), "names no components"),
        (without("tokenizer/vocab.json"), "tokenizer/ is missing"),
        (
            without(
                "vae/diffusion_pytorch_model.safetensors", **{"vae/diffusion_pytorch_model.bin": WEIGHTS}
            ),
            "vae/ has pickled weights only",
        ),
        (
            without(
                "vae/diffusion_pytorch_model.safetensors",
                **{"vae/diffusion_pytorch_model.non_ema.safetensors": WEIGHTS},
            ),
            "vae/ has the weights of a variant other than fp16 only",
        ),
        (
            without("vae/diffusion_pytorch_model.safetensors", **{"vae/config.json": b"{}"}),
            "vae/ has no weights",
        ),
    ],
)
def test_an_incomplete_directory_fails(bucket: Bucket, files: dict[str, bytes], words: str) -> None:
    bucket.put(files)
    finding = ModelFiles(location(bucket)).run()
    assert (finding.status, words in finding.found) == (Status.FAIL, True)
    assert f"s3://{BUCKET}/sd/" in finding.remedy


def test_every_fault_is_named(bucket: Bucket) -> None:
    bucket.put({"model_index.json": FILES["model_index.json"]})
    found = ModelFiles(location(bucket)).run().found
    assert all(f"{name}/ is missing" in found for name in ("scheduler", "tokenizer", "unet", "vae"))


def test_the_consoles_folders_are_no_files(bucket: Bucket) -> None:
    bucket.put(FILES | {"": b"", "vae/": b""})
    assert "in 6 files" in ModelFiles(location(bucket)).run().found


@pytest.mark.parametrize("name", ["model.safetensors", "v1-5.ckpt", "model.tar.gz"])
def test_a_model_in_one_file_is_opened_and_better_converted(bucket: Bucket, name: str) -> None:
    bucket.put({name: WEIGHTS})
    finding = ModelFiles(location(bucket)).run()
    assert finding.status is Status.WARN
    assert f"make convert FROM={name} TO=s3://{BUCKET}/sd" in finding.remedy
    expected = Status.PASS if name.endswith(".safetensors") else Status.SKIPPED
    assert ModelWeights(location(bucket)).run().status is expected


def test_of_two_models_in_one_file_none_is_taken(bucket: Bucket) -> None:
    bucket.put({"a.safetensors": WEIGHTS, "b.safetensors": WEIGHTS})
    assert ModelFiles(location(bucket)).run().status is Status.FAIL


@pytest.mark.parametrize("size", [0, 5, 20, len(WEIGHTS) - 1])
def test_a_truncated_file_fails_by_its_name(bucket: Bucket, size: int) -> None:
    bucket.put(without(**{"vae/diffusion_pytorch_model.safetensors": WEIGHTS[:size]}))
    finding = ModelWeights(location(bucket)).run()
    assert finding.status is Status.FAIL
    assert f"s3://{BUCKET}/sd/vae/diffusion_pytorch_model.safetensors " in finding.found
    assert "aws s3 cp" in finding.remedy


def test_a_directory_without_weights_fails_the_second_check_too(bucket: Bucket) -> None:
    bucket.put({"model_index.json": FILES["model_index.json"]})
    assert ModelWeights(location(bucket)).run().status is Status.FAIL


def test_only_the_headers_are_fetched(bucket: Bucket) -> None:
    big = save({"weight": np.ones(500_000, np.float32)})
    bucket.put(without(**{"unet/diffusion_pytorch_model-00001-of-00002.safetensors": big}))
    fetched = 0

    def count(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal fetched
        content = parsed["Body"].read()
        fetched += len(content)
        parsed["Body"] = io.BytesIO(content)

    bucket.s3.meta.events.register("after-call.s3.GetObject", count)
    try:
        assert ModelWeights(location(bucket)).run().status is Status.PASS
    finally:
        bucket.s3.meta.events.unregister("after-call.s3.GetObject", count)
    assert fetched < 1000


@pytest.mark.parametrize("check", [ModelFiles, ModelWeights])
def test_a_bucket_that_is_not_there_fails(bucket: Bucket, check: Any) -> None:
    finding = finding_of(check(location(bucket, "s3://no-such-bucket/sd/")))
    assert (finding.status, "NoSuchBucket" in finding.found) == (Status.FAIL, True)


def describe(bucket_name: str | None) -> dict[str, Any]:
    outputs = [{"OutputKey": "DataBucketName", "OutputValue": "data"}]
    if bucket_name:
        outputs.append({"OutputKey": "ModelsBucketName", "OutputValue": bucket_name})
    stack = {
        "StackName": "StableDiffusion-dev-Storage",
        "StackStatus": "CREATE_IN_PROGRESS",
        "CreationTime": "2026-01-01T00:00:00Z",
        "Outputs": outputs,
    }
    return {"Stacks": [stack]}


NAMED = {"StackName": "StableDiffusion-dev-Storage"}


def test_without_an_address_it_lies_under_its_name_in_the_stages_bucket(
    aws: StubbedAws, bucket: Bucket
) -> None:
    bucket.put(FILES)
    aws.stub("cloudformation").add_response("describe_stacks", describe(BUCKET), NAMED)
    assert ModelFiles(location(bucket, None)).run().status is Status.PASS


@pytest.mark.parametrize("check", [ModelFiles, ModelWeights])
def test_before_the_stages_bucket_is_deployed_it_is_skipped(
    aws: StubbedAws, bucket: Bucket, check: Any
) -> None:
    aws.stub("cloudformation").add_client_error("describe_stacks", "ValidationError", expected_params=NAMED)
    finding = finding_of(check(location(bucket, None)))
    assert (finding.status, "is not deployed yet" in finding.found) == (Status.SKIPPED, True)


def test_while_the_stages_bucket_is_being_made_it_is_skipped(aws: StubbedAws, bucket: Bucket) -> None:
    aws.stub("cloudformation").add_response("describe_stacks", describe(None), NAMED)
    finding = finding_of(ModelFiles(location(bucket, None)))
    assert (finding.status, "CREATE_IN_PROGRESS" in finding.found) == (Status.SKIPPED, True)


def test_stacks_that_one_may_not_see_are_skipped(aws: StubbedAws, bucket: Bucket) -> None:
    aws.deny("cloudformation", "describe_stacks")
    assert finding_of(ModelFiles(location(bucket, None))).status is Status.SKIPPED


def test_components_are_those_with_a_class() -> None:
    assert set(components(INDEX)) == {"scheduler", "tokenizer", "unet", "vae"}
    assert list(faults(INDEX, FILES)) == []


@pytest.mark.parametrize(
    ("files", "loaded"),
    [
        (["vae/model.safetensors", "vae/model.bin", "unet/config.json"], ["vae/model.safetensors"]),
        (["vae/model.safetensors", "vae/model.fp16.safetensors"], ["vae/model.fp16.safetensors"]),
        (
            ["unet/model.fp16-00001-of-00002.safetensors", "unet/model.fp16-00002-of-00002.safetensors"],
            ["unet/model.fp16-00001-of-00002.safetensors", "unet/model.fp16-00002-of-00002.safetensors"],
        ),
        (["unet/model.fp16.safetensors", "vae/model.safetensors"],) * 2,
        (["unet/model.non_ema.safetensors", "whole-checkpoint.safetensors"], []),
    ],
)
def test_the_weights_are_the_files_that_the_container_loads(files: list[str], loaded: list[str]) -> None:
    assert weights(files) == loaded
