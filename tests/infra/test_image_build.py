"""The builder's own function and build commands, run against a fake registry with immutable tags."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.image import ImageBuilder
from tests.infra.conftest import only
from tests.waiting import LIMIT_S

REPOSITORY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/images"

SDK = """
exports.StartBuildCommand = class { constructor(input) { this.input = input; } };
exports.CodeBuildClient = class { async send(command) { console.log(JSON.stringify(command.input)); } };
"""

START = """
require(process.argv[1]).handler(JSON.parse(process.argv[2]), {logStreamName: "log"});
"""

AWS = """
case "$1 $2" in
  "ecr describe-images")
    case "$*" in *"--region eu-west-1 "*"--repository-name images "*) ;; *) exit 2;; esac
    tag=$(echo "$*" | sed 's/.*imageTag=\\([^ ]*\\).*/\\1/')
    [ -e "$REGISTRY/$tag" ] || { echo "ImageNotFoundException" >&2; exit 254; }
    cat "$REGISTRY/$tag";;
  "s3 cp") : > "$4";;
  *" get-login-password") echo password;;
  *) exit 2;;
esac
"""

DOCKER = """
case "$1" in
  buildx) if [ "$2" = build ]; then [ -z "$BUILD_FAILS" ] && echo built >> "$BUILDS"; fi;;
  push)
    [ -e "$REGISTRY/${2##*:}" ] && { echo "the repository is immutable" >&2; exit 1; }
    echo "sha256:$(wc -l < "$BUILDS")" > "$REGISTRY/${2##*:}";;
  *) ;;
esac
"""

CODEBUILD = """
CODEBUILD_BUILD_SUCCEEDING=1
for command in "$COMMANDS"/build-*; do
  [ $CODEBUILD_BUILD_SUCCEEDING = 1 ] || break
  . "$command" || CODEBUILD_BUILD_SUCCEEDING=0
done
for command in "$COMMANDS"/post_build-*; do . "$command"; done
"""
"""As CodeBuild: all commands in one shell; the build phase ends with a failure; then the post_build phase."""


@dataclass(frozen=True)
class Build:
    """The outcome of a create or update of the custom resource."""

    status: str
    image: str | None
    builds: int


class Deployment:
    """The synthesized builder, its registry and its number of builds."""

    def __init__(self, directory: Path) -> None:
        app = cdk.App(outdir=str(directory / "cdk.out"))
        stack = cdk.Stack(app, "Image")
        ImageBuilder(stack, "Image")
        template = Template.from_stack(stack)
        self._properties = only(template, "Custom::CDKContainerImageBuild")
        self._spec = json.loads(only(template, "AWS::CodeBuild::Project")["Source"]["BuildSpec"])
        handlers = directory.glob("cdk.out/asset.*/index.js")
        (self._handler,) = (each for each in handlers if "StartBuildCommand" in each.read_text())
        self._directory = directory
        self._registry = directory / "registry"
        self._registry.mkdir()
        self._builds = directory / "builds"
        self._builds.touch()
        self._write("node_modules/@aws-sdk/client-codebuild/index.js", SDK)
        for name, script in {"aws": AWS, "docker": DOCKER, "unzip": "", "curl": ""}.items():
            self._write(f"bin/{name}", f"#!/bin/sh\n{script}").chmod(0o755)
        for phase in ("build", "post_build"):
            for number, command in enumerate(self._spec["phases"][phase]["commands"]):
                self._write(f"commands/{phase}-{number:02}", command + "\n")

    def deploy(self, version: str, *, build_fails: bool = False) -> Build:
        """Creates or updates the custom resource with the tag and the source of a version."""
        started = self._start(version)
        assert started["projectName"] == "project"
        variables = {each["name"]: each["value"] for each in started["environmentVariablesOverride"]}
        payload = self._run(variables | ({"BUILD_FAILS": "1"} if build_fails else {}))
        image = self._registry / version
        return Build(
            status=payload["Status"],
            image=image.read_text().strip() if image.exists() else None,
            builds=len(self._builds.read_text().splitlines()),
        )

    def _start(self, version: str) -> dict[str, Any]:
        """The input of StartBuild, from the custom resource's function."""
        event = {
            "RequestType": "Update",
            "ResponseURL": "https://cloudformation.example",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Build",
            "ResourceProperties": self._properties
            | {
                "repositoryUri": REPOSITORY,
                "imageTag": version,
                "codeBuildProjectName": "project",
                "sourceS3Url": f"s3://assets/{version}.zip",
            },
        }
        command = ["node", "-e", START, str(self._handler), json.dumps(event)]
        output = self._execute(command, {"NODE_PATH": str(self._directory / "node_modules")})
        return dict(json.loads(output))

    def _run(self, variables: Mapping[str, str]) -> dict[str, Any]:
        """The answer to CloudFormation that the build commands send."""
        work = self._directory / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        own = {
            "PATH": f"{self._directory / 'bin'}:{os.environ['PATH']}",
            "REGISTRY": str(self._registry),
            "BUILDS": str(self._builds),
            "COMMANDS": str(self._directory / "commands"),
        }
        self._execute(["sh", "-c", CODEBUILD], {**variables, **own}, cwd=work)
        (payload,) = work.rglob("payload.json")
        return dict(json.loads(payload.read_text(), strict=False))

    def _execute(self, command: list[str], variables: Mapping[str, str], cwd: Path | None = None) -> str:
        return subprocess.run(
            command,
            env={**os.environ, **variables},
            cwd=cwd,
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        ).stdout

    def _write(self, path: str, content: str) -> Path:
        file = self._directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def test_a_return_to_an_earlier_version_keeps_its_image_and_builds_nothing(deployment: Deployment) -> None:
    assert deployment.deploy("a") == Build("SUCCESS", "sha256:1", builds=1)
    assert deployment.deploy("b") == Build("SUCCESS", "sha256:2", builds=2)
    assert deployment.deploy("a") == Build("SUCCESS", "sha256:1", builds=2)


def test_the_rollback_of_a_failed_build_succeeds(deployment: Deployment) -> None:
    deployment.deploy("a")
    assert deployment.deploy("b", build_fails=True) == Build("FAILED", None, builds=1)
    assert deployment.deploy("a") == Build("SUCCESS", "sha256:1", builds=1)
    assert deployment.deploy("b") == Build("SUCCESS", "sha256:2", builds=2)
