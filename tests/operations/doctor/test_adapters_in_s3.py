import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from moto import mock_aws
from safetensors.numpy import save

from operations.doctor.adapters_in_s3 import AdaptersInS3
from operations.doctor.check import SkippedError, Status
from tests.inference import tiny_adapters, tiny_upscalers
from tests.inference.models import ldm_layout
from tests.inference.models.pickle_files import RunsACommand
from tests.inference.tiny_models import sd
from tests.operations.doctor.buckets import STACK, MotoBucket, stack_description
from tests.operations.doctor.conftest import StubbedAws

BUCKET = "models"
PREFIX = "adapters/"
WEIGHTS = save({"weight": np.ones((2, 3), np.float16)})
LORA = save({f"unet.conv_in.lora_{half}.weight": np.ones((2, 3), np.float16) for half in "AB"})
OFT = save({"lora_unet_conv_in.oft_diag": np.ones((2, 3), np.float16)})


@pytest.fixture
def bucket(aws: StubbedAws) -> Iterator[MotoBucket]:
    aws.stub("cloudformation").add_response(
        "describe_stacks", stack_description(BUCKET), {"StackName": STACK}
    )
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield MotoBucket(client, aws, BUCKET)


def put_tree(bucket: MotoBucket, directory: Path) -> None:
    """Uploads a directory that contains the adapters as the prefix does."""
    paths = [path for path in directory.rglob("*") if path.is_file()]
    bucket.put({path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}, PREFIX)


def pickled(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def test_no_adapters_pass(bucket: MotoBucket) -> None:
    result = AdaptersInS3(bucket, "dev").run()
    assert (result.status, result.message) == (Status.PASS, "none at s3://models/adapters/")


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, demo_model: Path) -> Path:
    """An adapter of every kind and format, in the directories of the prefix."""
    root = tmp_path_factory.mktemp("adapters")
    for kind in ("loras", "embeddings", "vaes", "controlnets", "upscalers", "safety_checkers/strict"):
        (root / kind).mkdir(parents=True)
    pipeline = sd(demo_model)
    tiny_adapters.write(root / "loras" / "moon.safetensors", tiny_adapters.lora(pipeline))
    (root / "embeddings" / "bad-hands.pt").write_bytes(
        pickled({"string_to_param": {"*": torch.ones(2, 32)}, "name": "bad-hands"})
    )
    tiny_adapters.vae(pipeline, root / "vaes" / "soft")
    tiny_adapters.write(root / "vaes" / "clear.safetensors", ldm_layout.vae_tensors(pipeline.vae))
    tiny_adapters.controlnet(pipeline, root / "controlnets" / "canny")
    network = ControlNetModel.from_unet(pipeline.unet)
    torch.save(ldm_layout.controlnet_tensors(network), root / "controlnets" / "depth.pth")
    tiny_upscalers.save(root / "upscalers", tiny_upscalers.network(), "sharp")
    tiny_upscalers.save(root / "upscalers", tiny_upscalers.network(), "soft", "pt")
    (root / "safety_checkers" / "strict" / "model.safetensors").write_bytes(WEIGHTS)
    return root


def test_adapters_of_all_kinds_are_read_and_listed(bucket: MotoBucket, adapters: Path) -> None:
    put_tree(bucket, adapters)
    bucket.put({"": b"", "loras/": b""}, PREFIX)
    result = AdaptersInS3(bucket, "dev").run()
    assert result.status is Status.PASS, result.message
    assert result.message == (
        "controlnets/canny/, controlnets/depth.pth, embeddings/bad-hands.pt, loras/moon.safetensors, "
        "safety_checkers/strict/, upscalers/sharp.safetensors, upscalers/soft.pt, vaes/clear.safetensors, "
        "vaes/soft/ at s3://models/adapters/"
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("loras/moon.pt", "loras/moon.pt is not a .safetensors file"),
        ("loras/moon/moon.safetensors", "loras/moon/ is not a .safetensors file"),
        ("loras/.safetensors", "loras/.safetensors has an invalid name"),
        ("loras/moon .safetensors", "loras/moon .safetensors has an invalid name: must not begin or end"),
        ("embeddings/x.png", "embeddings/x.png is not a .safetensors file or a .pt file or a .bin file"),
        ("safety_checkers/x.safetensors", "safety_checkers/x.safetensors is not a directory"),
        ("lora/moon.safetensors", "lora/moon.safetensors is not in a directory of adapters: loras/,"),
        ("moon.safetensors", "moon.safetensors is not in a directory of adapters"),
    ],
)
def test_an_adapter_with_a_wrong_name_is_a_warning(bucket: MotoBucket, path: str, message: str) -> None:
    bucket.put({"loras/sun.safetensors": LORA, path: WEIGHTS}, PREFIX)
    result = AdaptersInS3(bucket, "dev").run()
    assert result.status is Status.WARN
    assert message in result.message
    assert "sun" not in result.message


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("loras/moon.safetensors", WEIGHTS[:-1], "is not a complete safetensors file"),
        ("loras/moon.safetensors", b"", "is not a complete safetensors file"),
        ("loras/moon.safetensors", WEIGHTS, "has no LoRA weights"),
        ("loras/style (v2) 月.safetensors", OFT, "is an OFT, which is not supported"),
        ("vaes/clear.safetensors", b"<html>", "is not a complete safetensors file"),
        ("vaes/clear.safetensors", WEIGHTS, "is not a complete VAE of Stable Diffusion"),
        ("vaes/clear.vae.pt", pickled(RunsACommand(Path("never"))), "refers to posix.system"),
        ("embeddings/bad.pt", pickled({"a": 1, "b": 2}), "is not a textual inversion"),
        ("embeddings/bad.pt", pickled(RunsACommand(Path("never"))), "refers to posix.system"),
        ("embeddings/bad.safetensors", WEIGHTS[:9], "is not a complete safetensors file"),
        ("upscalers/sharp.safetensors", WEIGHTS, "has an unsupported architecture"),
        ("upscalers/sharp.pth", b"<html>", "is neither a .safetensors file nor a PyTorch pickle"),
        ("controlnets/canny.safetensors", WEIGHTS, "is not a ControlNet"),
        ("controlnets/canny.pth", pickled({"lora_controlnet": torch.ones(1)}), "is a LoRA-ControlNet"),
        ("controlnets/canny/config.json", b"{}", "has a config.json of another class than ControlNetModel"),
        ("controlnets/canny/model.safetensors", WEIGHTS, "has no readable config.json"),
        ("safety_checkers/strict/model.safetensors", WEIGHTS[:-1], "is not a complete safetensors file"),
    ],
)
def test_an_adapter_that_the_container_cannot_read_is_a_warning_with_the_containers_reason(
    bucket: MotoBucket, path: str, content: bytes, message: str
) -> None:
    bucket.put({"loras/sun.safetensors": LORA, path: content}, PREFIX)
    result = AdaptersInS3(bucket, "dev").run()
    assert result.status is Status.WARN
    assert message in result.message
    assert "sun" not in result.message


def test_a_directory_without_weights_is_a_warning(bucket: MotoBucket, adapters: Path) -> None:
    config = (adapters / "controlnets" / "canny" / "config.json").read_bytes()
    bucket.put({"controlnets/canny/config.json": config, "controlnets/canny/model.bin": b"0"}, PREFIX)
    message = AdaptersInS3(bucket, "dev").run().message
    assert "controlnets/canny/ has no .safetensors weights" in message


def test_before_the_bucket_is_deployed_the_check_is_skipped(aws: StubbedAws) -> None:
    aws.stub("cloudformation").add_client_error("describe_stacks", "ValidationError")
    with pytest.raises(SkippedError, match="is not deployed yet"):
        AdaptersInS3(aws, "dev").run()
