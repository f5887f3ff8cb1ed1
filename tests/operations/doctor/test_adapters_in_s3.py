from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.doctor.adapters_in_s3 import AdaptersInS3
from operations.doctor.check import SkippedError, Status
from tests.operations.doctor.buckets import STACK, MotoBucket, stack_description
from tests.operations.doctor.conftest import StubbedAws

BUCKET = "models"


@pytest.fixture
def bucket(aws: StubbedAws) -> Iterator[MotoBucket]:
    aws.stub("cloudformation").add_response(
        "describe_stacks", stack_description(BUCKET), {"StackName": STACK}
    )
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield MotoBucket(client, aws, BUCKET)


def put(bucket: MotoBucket, *paths: str) -> None:
    bucket.put(dict.fromkeys(paths, b"0"), "adapters/")


def test_no_adapters_pass(bucket: MotoBucket) -> None:
    result = AdaptersInS3(bucket, "dev").run()
    assert (result.status, result.message) == (Status.PASS, "none at s3://models/adapters/")


def test_adapters_of_all_kinds_are_listed(bucket: MotoBucket) -> None:
    put(
        bucket,
        "",
        "loras/moon.safetensors",
        "embeddings/bad-hands.pt",
        "vaes/clear.safetensors",
        "vaes/soft/config.json",
        "vaes/soft/diffusion_pytorch_model.safetensors",
        "controlnets/canny/config.json",
        "controlnets/canny/diffusion_pytorch_model.fp16.safetensors",
        "upscalers/RealESRGAN_x4plus.pth",
        "safety_checkers/strict/model.safetensors",
    )
    result = AdaptersInS3(bucket, "dev").run()
    assert result.status is Status.PASS
    assert result.message == (
        "controlnets/canny/, embeddings/bad-hands.pt, loras/moon.safetensors, safety_checkers/strict/, "
        "upscalers/RealESRGAN_x4plus.pth, vaes/clear.safetensors, vaes/soft/ at s3://models/adapters/"
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("loras/moon.pt", "loras/moon.pt is not a .safetensors file"),
        ("loras/moon/moon.safetensors", "loras/moon/ is not a .safetensors file"),
        ("loras/.safetensors", "loras/.safetensors has an invalid name"),
        ("loras/full moon.safetensors", "loras/full moon.safetensors has an invalid name"),
        ("embeddings/x.bin", "embeddings/x.bin is not a .safetensors file or a .pt file"),
        ("controlnets/canny.safetensors", "controlnets/canny.safetensors is not a directory"),
        ("controlnets/canny/diffusion_pytorch_model.bin", "controlnets/canny/ has no safetensors weights"),
        ("lora/moon.safetensors", "lora/moon.safetensors is not in a directory of adapters: loras/,"),
        ("moon.safetensors", "moon.safetensors is not in a directory of adapters"),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_a_warning(bucket: MotoBucket, path: str, message: str) -> None:
    put(bucket, "loras/sun.safetensors", path)
    result = AdaptersInS3(bucket, "dev").run()
    assert result.status is Status.WARN
    assert message in result.message
    assert "sun" not in result.message


def test_before_the_bucket_is_deployed_the_check_is_skipped(aws: StubbedAws) -> None:
    aws.stub("cloudformation").add_client_error("describe_stacks", "ValidationError")
    with pytest.raises(SkippedError, match="is not deployed yet"):
        AdaptersInS3(aws, "dev").run()
