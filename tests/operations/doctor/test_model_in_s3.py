import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from safetensors.numpy import save

from contract.source import S3Source
from operations.doctor.check import Status, run_check
from operations.doctor.model_in_s3 import ModelFiles, ModelLocation, ModelWeights
from tests.operations.doctor.buckets import STACK, MotoBucket, stack_description
from tests.operations.doctor.conftest import StubbedAws
from tests.operations.doctor.diffusers_files import FILES, WEIGHTS

BUCKET = "my-models"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def bucket(s3: Any, aws: StubbedAws) -> Iterator[MotoBucket]:
    yield MotoBucket(s3, aws, BUCKET)
    for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])


def location(bucket: MotoBucket, uri: str | None = f"s3://{BUCKET}/sd/") -> ModelLocation:
    return ModelLocation(bucket, "dev", "sd", S3Source(uri=uri))


def without(*paths: str, **more: bytes) -> dict[str, bytes]:
    return {path: content for path, content in FILES.items() if path not in paths} | more


def test_a_complete_directory_passes_both_checks(bucket: MotoBucket) -> None:
    bucket.put(FILES, "sd/")
    files, weights = ModelFiles(location(bucket)).run(), ModelWeights(location(bucket)).run()
    assert (files.status, weights.status) == (Status.PASS, Status.PASS)
    assert files.message == f"StableDiffusionPipeline, 0.00 GB in 6 files at s3://{BUCKET}/sd/"
    assert weights.message == "3 tensors in 3 files, according to their headers"


def test_the_demo_model_passes_both_checks(bucket: MotoBucket, demo_model: Path) -> None:
    paths = [path for path in demo_model.rglob("*") if path.is_file()]
    bucket.put({path.relative_to(demo_model).as_posix(): path.read_bytes() for path in paths}, "sd/")
    assert ModelFiles(location(bucket)).run().status is Status.PASS
    assert ModelWeights(location(bucket)).run().status is Status.PASS


@pytest.mark.parametrize(
    ("files", "message"),
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
            "vae/ has only pickled weights",
        ),
        (
            without(
                "vae/diffusion_pytorch_model.safetensors",
                **{"vae/diffusion_pytorch_model.non_ema.safetensors": WEIGHTS},
            ),
            "vae/ has only weights of variants other than fp16",
        ),
        (
            without("vae/diffusion_pytorch_model.safetensors", **{"vae/config.json": b"{}"}),
            "vae/ has no weights",
        ),
    ],
)
def test_an_incomplete_directory_fails(bucket: MotoBucket, files: dict[str, bytes], message: str) -> None:
    bucket.put(files, "sd/")
    result = ModelFiles(location(bucket)).run()
    assert (result.status, message in result.message) == (Status.FAIL, True)
    assert f"s3://{BUCKET}/sd/" in result.remedy


def test_all_missing_components_are_named(bucket: MotoBucket) -> None:
    bucket.put({"model_index.json": FILES["model_index.json"]}, "sd/")
    message = ModelFiles(location(bucket)).run().message
    assert all(f"{name}/ is missing" in message for name in ("scheduler", "tokenizer", "unet", "vae"))


def test_folder_objects_of_the_s3_console_are_ignored(bucket: MotoBucket) -> None:
    bucket.put(FILES | {"": b"", "vae/": b""}, "sd/")
    assert "in 6 files" in ModelFiles(location(bucket)).run().message


@pytest.mark.parametrize("name", ["model.safetensors", "v1-5.ckpt", "model.tar.gz"])
def test_a_single_model_file_is_a_warning_that_advises_the_conversion(bucket: MotoBucket, name: str) -> None:
    bucket.put({name: WEIGHTS}, "sd/")
    result = ModelFiles(location(bucket)).run()
    assert result.status is Status.WARN
    assert f"make convert FROM={name} TO=s3://{BUCKET}/sd" in result.remedy
    expected = Status.PASS if name.endswith(".safetensors") else Status.SKIPPED
    assert ModelWeights(location(bucket)).run().status is expected


def test_two_model_files_fail(bucket: MotoBucket) -> None:
    bucket.put({"a.safetensors": WEIGHTS, "b.safetensors": WEIGHTS}, "sd/")
    assert ModelFiles(location(bucket)).run().status is Status.FAIL


@pytest.mark.parametrize("size", [0, 5, 20, len(WEIGHTS) - 1])
def test_a_truncated_file_fails_and_is_named(bucket: MotoBucket, size: int) -> None:
    bucket.put(without(**{"vae/diffusion_pytorch_model.safetensors": WEIGHTS[:size]}), "sd/")
    result = ModelWeights(location(bucket)).run()
    assert result.status is Status.FAIL
    assert f"s3://{BUCKET}/sd/vae/diffusion_pytorch_model.safetensors " in result.message
    assert "aws s3 cp" in result.remedy


def test_a_directory_without_weights_fails_the_weights_check(bucket: MotoBucket) -> None:
    bucket.put({"model_index.json": FILES["model_index.json"]}, "sd/")
    assert ModelWeights(location(bucket)).run().status is Status.FAIL


def test_only_the_headers_are_downloaded(bucket: MotoBucket) -> None:
    big = save({"weight": np.ones(500_000, np.float32)})
    bucket.put(without(**{"unet/diffusion_pytorch_model-00001-of-00002.safetensors": big}), "sd/")
    downloaded = 0

    def count(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal downloaded
        content = parsed["Body"].read()
        downloaded += len(content)
        parsed["Body"] = io.BytesIO(content)

    bucket.s3.meta.events.register("after-call.s3.GetObject", count)
    try:
        assert ModelWeights(location(bucket)).run().status is Status.PASS
    finally:
        bucket.s3.meta.events.unregister("after-call.s3.GetObject", count)
    assert downloaded < 1000


@pytest.mark.parametrize("check", [ModelFiles, ModelWeights])
def test_a_missing_bucket_fails(bucket: MotoBucket, check: Any) -> None:
    result = run_check(check(location(bucket, "s3://no-such-bucket/sd/")))
    assert (result.status, "NoSuchBucket" in result.message) == (Status.FAIL, True)


NAMED = {"StackName": STACK}


def test_without_a_uri_the_files_are_under_the_models_name_in_the_models_bucket(
    aws: StubbedAws, bucket: MotoBucket
) -> None:
    bucket.put(FILES, "sd/")
    aws.stub("cloudformation").add_response("describe_stacks", stack_description(BUCKET), NAMED)
    assert ModelFiles(location(bucket, None)).run().status is Status.PASS


@pytest.mark.parametrize("check", [ModelFiles, ModelWeights])
def test_before_the_models_bucket_is_deployed_the_checks_are_skipped(
    aws: StubbedAws, bucket: MotoBucket, check: Any
) -> None:
    aws.stub("cloudformation").add_client_error("describe_stacks", "ValidationError", expected_params=NAMED)
    result = run_check(check(location(bucket, None)))
    assert (result.status, "is not deployed yet" in result.message) == (Status.SKIPPED, True)


def test_while_the_bucket_is_being_created_the_check_is_skipped(aws: StubbedAws, bucket: MotoBucket) -> None:
    aws.stub("cloudformation").add_response(
        "describe_stacks", stack_description(None, "CREATE_IN_PROGRESS"), NAMED
    )
    result = run_check(ModelFiles(location(bucket, None)))
    assert (result.status, "CREATE_IN_PROGRESS" in result.message) == (Status.SKIPPED, True)


def test_without_permission_for_the_stack_the_check_is_skipped(aws: StubbedAws, bucket: MotoBucket) -> None:
    aws.deny("cloudformation", "describe_stacks")
    assert run_check(ModelFiles(location(bucket, None))).status is Status.SKIPPED
