import json
from typing import Any

import pytest

from infra.config import RegistryImage
from infra.image import AMI_VERSIONS
from operations.doctor.check import SkippedError, Status, run_check
from operations.doctor.registry_image import ImageInRegistry
from tests.operations.doctor.conftest import ACCOUNT, StubbedAws

DIGEST = f"sha256:{'a' * 64}"
CONFIG_DIGEST = f"sha256:{'b' * 64}"
LINK = "https://layers.example/config"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def registry_image(**settings: Any) -> RegistryImage:
    arn = "arn:aws:ecr:eu-west-1:210987654321:repository/team/inference"
    return RegistryImage.model_validate(
        {"source": "registry", "repository_arn": arn, "digest": DIGEST, "cuda": 13, **settings}
    )


def respond(aws: StubbedAws, *images: dict[str, Any]) -> None:
    aws.stub("ecr").add_response("batch_get_image", {"images": list(images), "failures": []})


def manifest(media_type: str = DOCKER_MANIFEST) -> dict[str, Any]:
    content = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": CONFIG_DIGEST}}
    return {"imageManifest": json.dumps(content), "imageManifestMediaType": media_type}


def check(aws: StubbedAws, *, config: Any = None, **settings: Any) -> ImageInRegistry:
    """The check of an image with this configuration; None prepares no responses."""
    if config is not None:
        respond(aws, manifest())
        aws.stub("ecr").add_response(
            "get_download_url_for_layer",
            {"downloadUrl": LINK, "layerDigest": CONFIG_DIGEST},
            {"registryId": "210987654321", "repositoryName": "team/inference", "layerDigest": CONFIG_DIGEST},
        )

    def fetch(url: str) -> bytes:
        assert url == LINK
        return json.dumps(config).encode()

    return ImageInRegistry(aws, ACCOUNT, registry_image(**settings), fetch)


def amd64(*environment: str) -> dict[str, Any]:
    return {"os": "linux", "architecture": "amd64", "config": {"Env": ["PATH=/bin", *environment]}}


def test_an_image_that_sagemaker_can_run_passes(aws: StubbedAws) -> None:
    result = check(aws, config=amd64("CUDA_VERSION=13.0.1")).run()
    assert result.status is Status.PASS
    assert result.message == f"linux/amd64, CUDA 13, host AMI {AMI_VERSIONS[13]}"


@pytest.mark.parametrize("config", [amd64(), {**amd64(), "config": {"Env": None}}], ids=["no CUDA", "no Env"])
def test_without_a_cuda_version_in_the_image_that_of_cdk_json_is_used(aws: StubbedAws, config: Any) -> None:
    result = check(aws, config=config, cuda=12).run()
    assert result.status is Status.PASS
    assert "CUDA 12 according to cdk.json" in result.message
    assert AMI_VERSIONS[12] in result.message


@pytest.mark.parametrize(
    ("config", "message", "remedy"),
    [
        ({"os": "linux", "architecture": "arm64"}, "built for linux/arm64", "--platform linux/amd64"),
        (amd64("CUDA_VERSION=12.8.0"), "has CUDA 12, but cdk.json says 13", '"cuda": 12'),
    ],
)
def test_an_image_that_sagemaker_cannot_run_fails(
    aws: StubbedAws, config: Any, message: str, remedy: str
) -> None:
    result = check(aws, config=config).run()
    assert result.status is Status.FAIL
    assert message in result.message
    assert remedy in result.remedy


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"],
)
def test_an_unsupported_manifest_fails(aws: StubbedAws, media_type: str) -> None:
    respond(aws, manifest(media_type))
    result = check(aws).run()
    assert (result.status, media_type in result.message) == (Status.FAIL, True)
    assert "--provenance=false --output type=docker" in result.remedy


def test_a_missing_image_fails(aws: StubbedAws) -> None:
    respond(aws)
    result = check(aws).run()
    assert (result.status, result.message) == (Status.FAIL, f"team/inference has no image {DIGEST}")


def test_a_missing_repository_fails(aws: StubbedAws) -> None:
    aws.stub("ecr").add_client_error("batch_get_image", "RepositoryNotFoundException")
    assert check(aws).run().status is Status.FAIL


def test_a_repository_in_another_region_fails(aws: StubbedAws) -> None:
    elsewhere = "arn:aws:ecr:us-east-1:210987654321:repository/team/inference"
    result = check(aws, repository_arn=elsewhere).run()
    assert result.message == "the repository is in us-east-1, but the deployment is in eu-west-1"


def test_without_permission_for_the_repository_the_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("ecr", "batch_get_image")
    assert run_check(check(aws)).status is Status.SKIPPED


def test_an_image_configuration_that_cannot_be_downloaded_skips_the_check(aws: StubbedAws) -> None:
    def fetch(url: str) -> bytes:
        raise SkippedError("no network")

    prepared = check(aws, config=amd64())
    result = run_check(ImageInRegistry(prepared.aws, prepared.account, prepared.image, fetch))
    assert (result.status, result.message) == (Status.SKIPPED, "no network")
