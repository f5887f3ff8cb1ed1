import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from inference import entrypoint
from infra.image import AMI_VERSIONS, ImageBuilder, locked_cuda_major
from tests.conftest import ROOT
from tests.infra.conftest import Templates, only, synthesize, text

INFERENCE = ROOT / "inference"
DOCKERFILE = (INFERENCE / "Dockerfile").read_text()
MODEL = {"name": "demo", "instance_types": ["ml.g5.xlarge"]}


def image_of(templates: Templates) -> Any:
    return only(templates.endpoints["demo"], "AWS::SageMaker::Model")["PrimaryContainer"]["Image"]


def ami_of(templates: Templates) -> Any:
    (variant,) = only(templates.endpoints["demo"], "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    return variant["InferenceAmiVersion"]


def test_by_default_codebuild_builds_the_image_for_amd64(small: Templates) -> None:
    build = only(small.by_stack["Image"], "Custom::CDKContainerImageBuild")
    assert "--platform linux/amd64" in build["buildCommand"]
    project = only(small.by_stack["Image"], "AWS::CodeBuild::Project")
    assert project["Environment"]["Type"] == "LINUX_CONTAINER"


def test_the_endpoint_runs_the_built_tag_and_imports_only_the_repository(small: Templates) -> None:
    tag = only(small.by_stack["Image"], "Custom::CDKContainerImageBuild")["imageTag"]
    parts = image_of(small)["Fn::Join"][1]
    assert parts[-1].endswith(f":{tag}")
    exports = small.by_stack["Image"].find_outputs("*").values()
    assert all("Repository" in text(output["Value"]) and tag not in text(output) for output in exports)


def test_the_repository_scans_images_has_immutable_tags_and_deletes_old_images(small: Templates) -> None:
    repository = only(small.by_stack["Image"], "AWS::ECR::Repository")
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countNumber"] == 10


def test_the_image_can_be_built_by_local_docker() -> None:
    templates = synthesize({"models": [MODEL], "image": {"source": "docker"}})
    assert "Image" not in templates.by_stack
    assert "cdk-hnb659fds-container-assets-" in text(image_of(templates))


def test_an_existing_image_is_referenced_by_its_digest() -> None:
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/team/images"
    image = {"source": "registry", "repository_arn": arn, "digest": f"sha256:{'a' * 64}", "cuda": 12}
    templates = synthesize({"models": [MODEL], "image": image})
    assert text(image_of(templates)).rstrip('"]}').endswith(f"/team/images@sha256:{'a' * 64}")
    assert ami_of(templates) == AMI_VERSIONS[12]
    policy = text(only(templates.endpoints["demo"], "AWS::IAM::Policy"))
    assert arn in policy


def test_the_host_ami_supports_the_cuda_version_of_torch(small: Templates) -> None:
    assert locked_cuda_major() == 13
    assert ami_of(small) == AMI_VERSIONS[13] == "al2023-ami-sagemaker-inference-gpu-4-1"


@pytest.mark.parametrize("name", ["requirements", "requirements-alone"])
def test_all_requirements_are_locked_with_hashes(name: str) -> None:
    locked = (INFERENCE / f"{name}.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", locked, re.MULTILINE))
    requirements = (INFERENCE / f"{name}.txt").read_text()
    required = re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)$", requirements, re.MULTILINE)
    assert required
    assert {name: pins.get(name) for name, _ in required} == dict(required), "run `make lock`"
    blocks = re.split(r"^(?=[a-z0-9])", locked, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_dockerfile_requires_hashes() -> None:
    installs = re.findall(r"pip install [^&\n]*", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in each for each in installs)


def test_the_container_starts_as_root_in_the_entry_point_that_changes_to_an_existing_user() -> None:
    """SageMaker documents that images use only the user root."""
    instructions = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line[:1].isupper()]
    assert "USER" not in [name for name, *_ in instructions]
    (command,) = (rest for name, rest in instructions if name == "ENTRYPOINT")
    assert json.loads(command) == ["python", "-m", entrypoint.__name__]
    assert f"useradd --create-home --uid 1000 {entrypoint.USER}\n" in DOCKERFILE


def test_the_image_asks_nvidias_container_runtime_for_gpus() -> None:
    declared = dict(re.findall(r"(NVIDIA_\w+)=(\S+)", DOCKERFILE))
    assert declared["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert {"compute", "utility"} <= set(declared["NVIDIA_DRIVER_CAPABILITIES"].split(","))


def test_the_base_images_are_pinned() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"\S+:\d+\.\d+\.\d+-slim-bookworm", base) for base in bases)


def test_the_build_context_contains_only_the_code_of_three_folders(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    ImageBuilder(cdk.Stack(app, "Image"), "Image")
    (dockerfile,) = tmp_path.glob("asset.*/inference/Dockerfile")
    context = dockerfile.parents[1]
    assert {path.name for path in context.iterdir()} == {"contract", "guarded_http", "inference"}
    assert not [*context.rglob("demo_*"), *context.rglob("__pycache__"), *context.rglob("*.safetensors")]
