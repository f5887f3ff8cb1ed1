import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from safetensors.torch import load_file, save

from contract.model import ModelDefaults, ServedModel
from contract.source import S3Source
from operations.doctor.check import Status, run_check
from operations.doctor.model_in_s3 import ModelFiles, ModelLoads, ModelLocation
from tests.inference.models import ldm_layout
from tests.inference.tiny_models import sdxl
from tests.operations.doctor.buckets import STACK, MotoBucket, stack_description
from tests.operations.doctor.conftest import StubbedAws

BUCKET = "my-models"
DEFAULTS = ModelDefaults(width=128, height=128)
UNET = "unet/diffusion_pytorch_model.safetensors"


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


def files_of(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def files(demo_model: Path) -> dict[str, bytes]:
    """The files of the demo model, which was trained with 128x128."""
    return files_of(demo_model)


def location(
    bucket: MotoBucket,
    uri: str | None = f"s3://{BUCKET}/sd/",
    *,
    defaults: ModelDefaults = DEFAULTS,
    is_companion: bool = False,
) -> ModelLocation:
    model = ServedModel(name="sd", defaults=defaults)
    return ModelLocation(bucket, "dev", model, S3Source(uri=uri), is_companion)


def changed(files: dict[str, bytes], *removed: str, **more: bytes) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path not in removed} | more


def test_the_demo_model_passes_both_checks(bucket: MotoBucket, files: dict[str, bytes]) -> None:
    bucket.put(files, "sd/")
    listed, loaded = ModelFiles(location(bucket)).run(), ModelLoads(location(bucket)).run()
    assert (listed.status, loaded.status) == (Status.PASS, Status.PASS)
    assert listed.message.endswith(f"in {len(files)} files at s3://{BUCKET}/sd/")
    assert loaded.message == "StableDiffusionPipeline, loaded by the container's code"


@pytest.mark.parametrize(
    ("removed", "added", "message"),
    [
        (["tokenizer/tokenizer.json"], {"tokenizer/vocab.json": b"{"}, "tokenizer is missing or damaged"),
        (["scheduler/scheduler_config.json"], {}, "scheduler/scheduler_config.json is missing"),
        (["unet/config.json"], {}, "unet/config.json is missing"),
        ([UNET], {}, "unet has no safetensors weights"),
        ([UNET], {"unet/diffusion_pytorch_model.bin": b"pickle"}, "other formats are not loaded"),
        ([], {"model_index.json": b"<html>"}, "is not valid JSON"),
        ([], {"unet/config.json": b"[]"}, "is not a JSON object"),
    ],
)
def test_a_model_that_the_container_cannot_load_fails_with_the_containers_reason(
    bucket: MotoBucket, files: dict[str, bytes], removed: list[str], added: dict[str, bytes], message: str
) -> None:
    bucket.put(changed(files, *removed, **added), "sd/")
    result = ModelLoads(location(bucket)).run()
    assert (result.status, message in result.message) == (Status.FAIL, True), result.message
    assert f"aws s3 sync DIRECTORY s3://{BUCKET}/sd/" in result.remedy


@pytest.mark.parametrize("size", [0, 5, 20, -1])
def test_a_truncated_file_fails_and_is_named(bucket: MotoBucket, files: dict[str, bytes], size: int) -> None:
    bucket.put(changed(files, **{UNET: files[UNET][:size]}), "sd/")
    result = ModelLoads(location(bucket)).run()
    assert result.status is Status.FAIL
    assert "diffusion_pytorch_model.safetensors is not a complete safetensors file" in result.message


def test_weights_that_do_not_fit_their_configuration_fail(
    bucket: MotoBucket, files: dict[str, bytes]
) -> None:
    config = json.loads(files["unet/config.json"]) | {"in_channels": 9}
    bucket.put(changed(files, **{"unet/config.json": json.dumps(config).encode()}), "sd/")
    result = ModelLoads(location(bucket)).run()
    assert result.status is Status.FAIL
    assert "unet: 1 of " in result.message
    assert "conv_in.weight" in result.message


def test_without_an_index_the_files_fail(bucket: MotoBucket, files: dict[str, bytes]) -> None:
    bucket.put(changed(files, "model_index.json"), "sd/")
    result = ModelFiles(location(bucket)).run()
    assert (result.status, "has no model_index.json" in result.message) == (Status.FAIL, True)


@pytest.mark.parametrize("marker", ["", "vae/"])
def test_objects_for_folders_fail_because_sagemaker_refuses_them(
    bucket: MotoBucket, files: dict[str, bytes], marker: str
) -> None:
    bucket.put(files | {marker: b""}, "sd/")
    result = ModelFiles(location(bucket)).run()
    assert (result.status, "is an object for a folder" in result.message) == (Status.FAIL, True)
    assert "aws s3api delete-object" in result.remedy
    assert ModelLoads(location(bucket)).run().status is Status.PASS


def test_objects_for_folders_do_not_disturb_the_containers_own_download_of_companions(
    bucket: MotoBucket, files: dict[str, bytes]
) -> None:
    bucket.put(files | {"": b"", "vae/": b""}, "sd/")
    assert ModelFiles(location(bucket, is_companion=True)).run().status is Status.PASS


def test_names_that_sagemaker_refuses_are_counted(bucket: MotoBucket, files: dict[str, bytes]) -> None:
    bucket.put(files | {f"folder{number}/": b"" for number in range(7)}, "sd/")
    assert "'folder4/' is an object for a folder and 2 more" in ModelFiles(location(bucket)).run().message


@pytest.mark.parametrize(("width", "status"), [(64, Status.WARN), (96, Status.PASS), (512, Status.WARN)])
def test_a_default_size_far_from_the_trained_size_is_a_warning(
    bucket: MotoBucket, files: dict[str, bytes], width: int, status: Status
) -> None:
    bucket.put(files, "sd/")
    defaults = ModelDefaults(width=width, height=width)
    result = ModelLoads(location(bucket, defaults=defaults)).run()
    assert result.status is status
    if status is Status.WARN:
        assert f"get {width}x{width}, but StableDiffusionPipeline was trained with 128x128" in result.message
        assert '"defaults": {"width": 128, "height": 128}' in result.remedy


def test_an_sdxl_model_without_defaults_is_a_warning(
    bucket: MotoBucket, demo_model: Path, tmp_path: Path
) -> None:
    pipeline = sdxl(demo_model)
    pipeline.unet.register_to_config(sample_size=1024 // pipeline.vae_scale_factor)
    pipeline.save_pretrained(tmp_path)
    bucket.put(files_of(tmp_path), "sd/")
    result = ModelLoads(location(bucket, defaults=ModelDefaults())).run()
    assert result.status is Status.WARN
    assert "StableDiffusionXLPipeline was trained with 1024x1024" in result.message


@pytest.mark.parametrize("name", ["model.safetensors", "v1-5.ckpt", "model.tar.gz"])
def test_a_single_model_file_is_a_warning_that_advises_the_conversion(
    bucket: MotoBucket, files: dict[str, bytes], name: str
) -> None:
    bucket.put({name: files[UNET]}, "sd/")
    result = ModelFiles(location(bucket)).run()
    assert result.status is Status.WARN
    assert f"make convert FROM={name} TO=s3://{BUCKET}/sd" in result.remedy
    loaded = ModelLoads(location(bucket)).run()
    if name.endswith(".safetensors"):
        assert "is not a complete Stable Diffusion 1, 2 or XL checkpoint" in loaded.message
    else:
        assert (loaded.status, name in loaded.message) == (Status.SKIPPED, True)


def test_two_model_files_fail(bucket: MotoBucket, files: dict[str, bytes]) -> None:
    bucket.put({"a.safetensors": files[UNET], "b.safetensors": files[UNET]}, "sd/")
    assert ModelFiles(location(bucket)).run().status is Status.FAIL
    assert "has several models" in ModelLoads(location(bucket)).run().message


def test_a_pipeline_that_diffusers_loads_is_not_tried(bucket: MotoBucket) -> None:
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    bucket.put({"model_index.json": json.dumps(index).encode()}, "sd/")
    assert ModelLoads(location(bucket)).run().status is Status.SKIPPED


@pytest.mark.parametrize("check", [ModelFiles, ModelLoads])
def test_a_missing_bucket_fails(bucket: MotoBucket, check: Any) -> None:
    result = run_check(check(location(bucket, "s3://no-such-bucket/sd/")))
    assert (result.status, "NoSuchBucket" in result.message) == (Status.FAIL, True)


NAMED = {"StackName": STACK}


def test_without_a_uri_the_files_are_under_the_models_name_in_the_models_bucket(
    aws: StubbedAws, bucket: MotoBucket, files: dict[str, bytes]
) -> None:
    bucket.put(files, "sd/")
    aws.stub("cloudformation").add_response("describe_stacks", stack_description(BUCKET), NAMED)
    assert ModelFiles(location(bucket, None)).run().status is Status.PASS


@pytest.mark.parametrize("check", [ModelFiles, ModelLoads])
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


@pytest.mark.parametrize(("vae", "status"), [(None, Status.WARN), ("clear", Status.PASS)])
def test_a_single_file_without_a_vae_is_a_warning_unless_the_defaults_name_one(
    bucket: MotoBucket, tmp_path: Path, vae: str | None, status: Status
) -> None:
    tensors = load_file(ldm_layout.write(ldm_layout.pipeline("sd1"), tmp_path / "whole.safetensors"))
    rest = {name: value for name, value in tensors.items() if not name.startswith("first_stage_model.")}
    bucket.put({"model.safetensors": save(rest)}, "sd/")
    defaults = ModelDefaults(width=512, height=512, vae=vae)
    result = ModelLoads(location(bucket, defaults=defaults)).run()
    assert result.status is status, result.message
    assert ("the model's file has no VAE: requests that name no `vae` are refused" in result.message) is (
        vae is None
    )
