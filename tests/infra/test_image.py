import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.image import AMI_VERSIONS, ImageBuilder, locked_cuda_major
from tests.conftest import ROOT
from tests.infra.conftest import Templates, only, synthesize, text

INFERENCE = ROOT / "inference"
MODEL = {"name": "demo", "instance_types": ["ml.g5.xlarge"]}


def image_of(templates: Templates) -> Any:
    return only(templates.endpoints["demo"], "AWS::SageMaker::Model")["PrimaryContainer"]["Image"]


def ami_of(templates: Templates) -> Any:
    (variant,) = only(templates.endpoints["demo"], "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    return variant["InferenceAmiVersion"]


def test_by_default_codebuild_makes_it_for_amd64_from_inference_alone(small: Templates) -> None:
    build = only(small.by_stack["Image"], "Custom::CDKContainerImageBuild")
    assert "--platform linux/amd64" in build["buildCommand"]
    project = only(small.by_stack["Image"], "AWS::CodeBuild::Project")
    assert project["Environment"]["Type"] == "LINUX_CONTAINER"


def test_the_endpoint_runs_the_tag_that_was_built_and_imports_only_the_repository(small: Templates) -> None:
    tag = only(small.by_stack["Image"], "Custom::CDKContainerImageBuild")["imageTag"]
    parts = image_of(small)["Fn::Join"][1]
    assert parts[-1].endswith(f":{tag}")
    exports = small.by_stack["Image"].find_outputs("*").values()
    assert all("Repository" in text(output["Value"]) and tag not in text(output) for output in exports)


def test_the_repository_scans_keeps_tags_as_they_are_and_forgets_old_images(small: Templates) -> None:
    repository = only(small.by_stack["Image"], "AWS::ECR::Repository")
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countNumber"] == 10


def test_docker_on_the_deploying_machine_is_an_option() -> None:
    templates = synthesize({"models": [MODEL], "image": {"source": "docker"}})
    assert "Image" not in templates.by_stack
    assert "cdk-hnb659fds-container-assets-" in text(image_of(templates))


def test_an_image_of_ones_own_is_taken_by_its_digest() -> None:
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/team/images"
    image = {"source": "registry", "repository_arn": arn, "digest": f"sha256:{'a' * 64}", "cuda": 12}
    templates = synthesize({"models": [MODEL], "image": image})
    assert text(image_of(templates)).rstrip('"]}').endswith(f"/team/images@sha256:{'a' * 64}")
    assert ami_of(templates) == AMI_VERSIONS[12]
    policy = text(only(templates.endpoints["demo"], "AWS::IAM::Policy"))
    assert arn in policy


def test_the_hosts_driver_suits_the_cuda_that_torch_is_built_for(small: Templates) -> None:
    assert locked_cuda_major() == 13
    assert ami_of(small) == AMI_VERSIONS[13] == "al2023-ami-sagemaker-inference-gpu-4-1"


@pytest.mark.parametrize("name", ["requirements", "requirements-alone"])
def test_every_requirement_is_locked_with_its_hashes(name: str) -> None:
    locked = (INFERENCE / f"{name}.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", locked, re.MULTILINE))
    requirements = (INFERENCE / f"{name}.txt").read_text()
    asked = re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)$", requirements, re.MULTILINE)
    assert asked
    assert {name: pins.get(name) for name, _ in asked} == dict(asked), "run `make lock`"
    blocks = re.split(r"^(?=[a-z0-9])", locked, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("words", ["--require-hashes", "USER inference"])
def test_the_dockerfile_installs_only_what_is_locked_and_is_not_root(words: str) -> None:
    assert words in (INFERENCE / "Dockerfile").read_text()


def test_the_base_is_pinned_and_no_weights_are_in_the_image() -> None:
    dockerfile = (INFERENCE / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"\S+:\d+\.\d+\.\d+-slim-bookworm", base) for base in bases)


def test_the_build_context_is_the_code_of_the_two_folders_that_the_image_needs(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    ImageBuilder(cdk.Stack(app, "Image"), "Image")
    (dockerfile,) = tmp_path.glob("asset.*/inference/Dockerfile")
    context = dockerfile.parents[1]
    assert {path.name for path in context.iterdir()} == {"contract", "inference"}
    assert not [*context.rglob("demo_*"), *context.rglob("__pycache__"), *context.rglob("*.safetensors")]
