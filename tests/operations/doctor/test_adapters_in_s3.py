from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.doctor.adapters_in_s3 import AdaptersInS3
from operations.doctor.check import SkippedError, Status
from tests.operations.conftest import StubbedAws

BUCKET = "models"
STACK = "StableDiffusion-dev-Storage"


class Bucket:
    """An S3 of moto's, with the stack of a stub."""

    region = "us-east-1"

    def __init__(self, s3: Any, stacks: StubbedAws) -> None:
        self.s3 = s3
        self._stacks = stacks

    def client(self, service: str, region: str | None = None) -> Any:
        return self.s3 if service == "s3" else self._stacks.client(service, region)

    def put(self, *paths: str) -> None:
        for path in paths:
            self.s3.put_object(Bucket=BUCKET, Key=f"adapters/{path}", Body=b"0")


@pytest.fixture
def bucket(aws: StubbedAws) -> Iterator[Bucket]:
    stack = {
        "StackName": STACK,
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": "2026-01-01T00:00:00Z",
        "Outputs": [{"OutputKey": "ModelsBucketName", "OutputValue": BUCKET}],
    }
    aws.stub("cloudformation").add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield Bucket(client, aws)


def test_without_adapters_nothing_is_wrong(bucket: Bucket) -> None:
    finding = AdaptersInS3(bucket, "dev").run()
    assert (finding.status, finding.found) == (Status.PASS, "none at s3://models/adapters/")


def test_adapters_of_every_kind_are_named(bucket: Bucket) -> None:
    bucket.put(
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
    finding = AdaptersInS3(bucket, "dev").run()
    assert finding.status is Status.PASS
    assert finding.found == (
        "controlnets/canny/, embeddings/bad-hands.pt, loras/moon.safetensors, safety_checkers/strict/, "
        "upscalers/RealESRGAN_x4plus.pth, vaes/clear.safetensors, vaes/soft/ at s3://models/adapters/"
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("loras/moon.pt", "loras/moon.pt is not a .safetensors file"),
        ("loras/moon/moon.safetensors", "loras/moon/ is not a .safetensors file"),
        ("loras/.safetensors", "loras/.safetensors has a name that no request can say"),
        ("loras/full moon.safetensors", "loras/full moon.safetensors has a name that no request can say"),
        ("embeddings/x.bin", "embeddings/x.bin is not a .safetensors file or a .pt file"),
        ("controlnets/canny.safetensors", "controlnets/canny.safetensors is not a directory"),
        ("controlnets/canny/diffusion_pytorch_model.bin", "controlnets/canny/ has no safetensors weights"),
        ("lora/moon.safetensors", "lora/moon.safetensors is of no kind that is looked for: loras/,"),
        ("moon.safetensors", "moon.safetensors is of no kind that is looked for"),
    ],
)
def test_what_will_not_load_is_a_warning_that_names_it(bucket: Bucket, path: str, words: str) -> None:
    bucket.put("loras/sun.safetensors", path)
    finding = AdaptersInS3(bucket, "dev").run()
    assert finding.status is Status.WARN
    assert words in finding.found
    assert "sun" not in finding.found


def test_before_the_bucket_is_there_nothing_is_looked_at(aws: StubbedAws) -> None:
    aws.stub("cloudformation").add_client_error("describe_stacks", "ValidationError")
    with pytest.raises(SkippedError, match="is not deployed yet"):
        AdaptersInS3(aws, "dev").run()
