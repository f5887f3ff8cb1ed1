"""The life cycle of a stage with the CDK CLI: deployed, changed and destroyed without leftovers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from local.aws import LocalAws
from local.emulator import Emulator
from local.stack import stage_url, upload_models
from tests.conftest import ROOT
from tests.e2e.client import finish, submit

_CLI = ROOT / ".venv" / "node" / "node_modules" / ".bin" / "cdk"
_SYNTHESIZED = ("--app", "cdk.out")
"""Uses the templates that an earlier command has synthesized."""

_STORAGE, _API = "StableDiffusion-dev-Storage", "StableDiffusion-dev-Api"


class Project:
    """A directory with its own cdk.json, from which the application is deployed."""

    def __init__(self, directory: Path, aws: LocalAws) -> None:
        self._directory = directory
        self._aws = aws
        self._settings = json.loads((ROOT / "cdk.json").read_text())
        self._settings["app"] = f"{sys.executable} {ROOT / 'app.py'}"
        directory.mkdir()
        self.change_model({})

    def change_model(self, changes: dict[str, Any]) -> None:
        """Changes settings of the stage's model in cdk.json."""
        self._settings["context"]["stages"]["dev"]["models"][0].update(changes)
        (self._directory / "cdk.json").write_text(json.dumps(self._settings))

    def cdk(self, *arguments: str, status: int = 0) -> None:
        """Runs the CLI; it can connect to the emulated services only."""
        environment = self._aws.environment() | {
            "HOME": str(self._directory),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_VALIDATION": "false",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        }
        done = subprocess.run(
            [_CLI, *arguments, "--no-notices", "--ci"],
            cwd=self._directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == status, done.stdout

    def outputs(self, stack: str) -> dict[str, str]:
        (described,) = self._aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path / "local")
    emulator.wait()
    yield emulator
    emulator.stop()


_LISTS = {
    "apigateway": ("get_rest_apis", "get_api_keys", "get_usage_plans"),
    "cloudformation": ("describe_stacks",),
    "cloudwatch": ("describe_alarms", "list_dashboards"),
    "codebuild": ("list_projects",),
    "dynamodb": ("list_tables",),
    "ecr": ("describe_repositories",),
    "iam": ("list_roles", "list_policies"),
    "lambda": ("list_functions", "list_event_source_mappings"),
    "s3": ("list_buckets",),
    "sns": ("list_topics", "list_subscriptions"),
    "sqs": ("list_queues",),
    "ssm": ("describe_parameters",),
}
_NAMES = ("Arn", "AlarmName", "DashboardName", "FunctionName", "Name", "StackName", "SubscriptionArn")
_NAMES += ("TopicArn", "UUID", "id", "repositoryName")


def inventory(aws: LocalAws) -> set[str]:
    """All resources in the account except log groups, which remain, and the containers of the endpoints."""
    found = set()
    for service, operations in _LISTS.items():
        client = aws.client(service)
        for operation in operations:
            response = getattr(client, operation)()
            response.pop("ResponseMetadata")
            for listed in response.values():
                for each in listed if isinstance(listed, list) else ():
                    name = each if isinstance(each, str) else next(each[n] for n in _NAMES if n in each)
                    found.add(f"{service} {operation} {name}")
    for process in psutil.Process(os.getpid()).children(recursive=True):
        if process.cmdline()[1:] == ["-m", "inference"]:
            found.add(f"container {process.pid}")
    return found


@pytest.mark.timeout(1200)
def test_the_cdk_deploys_changes_and_destroys_the_application(emulator: Emulator, tmp_path: Path) -> None:
    aws = emulator.aws
    project = Project(tmp_path / "project", aws)
    project.cdk("synth", "--all", "--quiet")
    project.cdk("bootstrap", *_SYNTHESIZED)
    empty = inventory(aws)

    project.cdk("deploy", _STORAGE, "--require-approval", "never", *_SYNTHESIZED)
    upload_models(aws, project.outputs(_STORAGE)["ModelsBucketName"])
    project.cdk("deploy", "--all", "--require-approval", "never", *_SYNTHESIZED)
    project.cdk("diff", "--all", "--fail", *_SYNTHESIZED)
    outputs = project.outputs(_API)
    key = aws.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    with httpx.Client(
        base_url=stage_url(aws, outputs["ApiUrl"]), headers={"x-api-key": key}, timeout=60
    ) as http:
        too_many = {"prompt": "a red circle", "count": 3, "steps": 1}
        assert finish(http, submit(http, **too_many))["status"] == "succeeded"

        project.change_model({"limits": {"max_size": 256, "max_count": 2}, "scaling": {"max_instances": 2}})
        project.cdk("diff", "--all", "--fail", status=1)
        project.cdk("deploy", "--all", "--require-approval", "never", *_SYNTHESIZED)
        refused = http.post("/v1/jobs", json=too_many)
        assert refused.status_code == 422, refused.text
        assert [each["pointer"] for each in refused.json()["errors"]] == ["#/count"]
        (model,) = http.get("/v1/models").json()["data"]
        assert (model["limits"]["max_size"], model["limits"]["max_count"]) == (256, 2)
        assert finish(http, submit(http, count=2, steps=1))["status"] == "succeeded"

    assert len(inventory(aws)) > len(empty) + 20
    project.cdk("destroy", "--all", "--force", *_SYNTHESIZED)
    assert inventory(aws) == empty
