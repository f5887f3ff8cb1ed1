import json
from pathlib import Path
from typing import Any

import pytest

from infra import image
from infra.config import CodeBuildImage, DockerImage, RegistryImage
from infra.image import AMI_VERSIONS
from operations.doctor.built_image import BuiltImage
from operations.doctor.check import SkippedError, Status, finding_of
from operations.doctor.registry_image import ImageInRegistry
from tests.operations.conftest import ACCOUNT, StubbedAws

DIGEST = f"sha256:{'a' * 64}"
CONFIG_DIGEST = f"sha256:{'b' * 64}"
LINK = "https://layers.example/config"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def registry_image(**settings: Any) -> RegistryImage:
    arn = "arn:aws:ecr:eu-west-1:210987654321:repository/team/inference"
    return RegistryImage.model_validate(
        {"source": "registry", "repository_arn": arn, "digest": DIGEST, "cuda": 13, **settings}
    )


def answer(aws: StubbedAws, *images: dict[str, Any]) -> None:
    aws.stub("ecr").add_response("batch_get_image", {"images": list(images), "failures": []})


def manifest(media_type: str = DOCKER_MANIFEST) -> dict[str, Any]:
    content = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": CONFIG_DIGEST}}
    return {"imageManifest": json.dumps(content), "imageManifestMediaType": media_type}


def check(aws: StubbedAws, *, config: Any = None, **settings: Any) -> ImageInRegistry:
    """A check of an image with that configuration; without one, its configuration is not asked for."""
    if config is not None:
        answer(aws, manifest())
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
    finding = check(aws, config=amd64("CUDA_VERSION=13.0.1")).run()
    assert finding.status is Status.PASS
    assert finding.found == f"linux/amd64, CUDA 13, on {AMI_VERSIONS[13]}"


@pytest.mark.parametrize("config", [amd64(), {**amd64(), "config": {"Env": None}}], ids=["no CUDA", "no Env"])
def test_an_image_that_does_not_tell_its_cuda_is_taken_at_its_word(aws: StubbedAws, config: Any) -> None:
    finding = check(aws, config=config, cuda=12).run()
    assert finding.status is Status.PASS
    assert "CUDA 12 by cdk.json; the image does not say" in finding.found
    assert AMI_VERSIONS[12] in finding.found


@pytest.mark.parametrize(
    ("config", "words", "remedy"),
    [
        ({"os": "linux", "architecture": "arm64"}, "is for linux/arm64", "--platform linux/amd64"),
        (amd64("CUDA_VERSION=12.8.0"), "has CUDA 12, and cdk.json says 13", '"cuda": 12'),
    ],
)
def test_an_image_that_sagemaker_cannot_run_fails(
    aws: StubbedAws, config: Any, words: str, remedy: str
) -> None:
    finding = check(aws, config=config).run()
    assert finding.status is Status.FAIL
    assert words in finding.found
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"],
)
def test_a_manifest_that_sagemaker_does_not_take_fails(aws: StubbedAws, media_type: str) -> None:
    answer(aws, manifest(media_type))
    finding = check(aws).run()
    assert (finding.status, media_type in finding.found) == (Status.FAIL, True)
    assert "--provenance=false --output type=docker" in finding.remedy


def test_an_image_that_is_not_there_fails(aws: StubbedAws) -> None:
    answer(aws)
    finding = check(aws).run()
    assert (finding.status, finding.found) == (Status.FAIL, f"team/inference has no image {DIGEST}")


def test_a_repository_that_is_not_there_fails(aws: StubbedAws) -> None:
    aws.stub("ecr").add_client_error("batch_get_image", "RepositoryNotFoundException")
    assert check(aws).run().status is Status.FAIL


def test_a_repository_in_another_region_fails(aws: StubbedAws) -> None:
    elsewhere = "arn:aws:ecr:us-east-1:210987654321:repository/team/inference"
    finding = check(aws, repository_arn=elsewhere).run()
    assert finding.found == "the repository is in us-east-1, the deployment in eu-west-1"


def test_a_repository_that_one_may_not_read_is_skipped(aws: StubbedAws) -> None:
    aws.deny("ecr", "batch_get_image")
    assert finding_of(check(aws)).status is Status.SKIPPED


def test_a_configuration_that_cannot_be_fetched_is_skipped(aws: StubbedAws) -> None:
    def fetch(url: str) -> bytes:
        raise SkippedError("no network")

    asked = check(aws, config=amd64())
    finding = finding_of(ImageInRegistry(asked.aws, asked.account, asked.image, fetch))
    assert (finding.status, finding.found) == (Status.SKIPPED, "no network")


@pytest.mark.parametrize(
    ("source", "builder"),
    [(CodeBuildImage(), "AWS CodeBuild"), (DockerImage(source="docker"), "Docker here")],
)
def test_the_image_that_is_built_says_where_it_will_run(
    source: CodeBuildImage | DockerImage, builder: str
) -> None:
    finding = BuiltImage(source).run()
    assert finding.status is Status.PASS
    assert builder in finding.found
    assert any(version in finding.found for version in AMI_VERSIONS.values())


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (None, "requirements.lock"),
        ("torch==2.13.0\n", "pins no nvidia-cuda-runtime"),
        ("nvidia-cuda-runtime==14.0.1\n", "brings CUDA 14, and SageMaker has hosts for 12 or 13"),
    ],
    ids=["none", "without CUDA", "CUDA without a host"],
)
def test_an_image_without_a_host_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str | None, words: str
) -> None:
    if lock is not None:
        (tmp_path / "requirements.lock").write_text(lock)
    monkeypatch.setattr(image, "_DIRECTORY", tmp_path)
    finding = BuiltImage(CodeBuildImage()).run()
    assert finding.status is Status.FAIL
    assert words in finding.found
    assert "make lock" in finding.remedy
