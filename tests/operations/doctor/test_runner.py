import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations.doctor.check import Finding, Status, doubtful, failed, passed, skipped
from operations.doctor.configuration import Configuration
from operations.doctor.report import report
from operations.doctor.runner import examine
from operations.doctor.stage_checks import checks_of_account, checks_without_account
from operations.versions import CDK_CLI
from tests.conftest import ROOT
from tests.operations.conftest import ACCOUNT, Programs, StubbedAws, model, stage

NODE = shutil.which("node")

HUB = {
    "type": "huggingface",
    "id": "ada/drawing",
    "revision": "0" * 40,
    "token_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf",
}
REGISTRY = {
    "source": "registry",
    "repository_arn": "arn:aws:ecr:eu-west-1:123456789012:repository/inference",
    "digest": f"sha256:{'a' * 64}",
    "cuda": 13,
}


def names(checks: list[Any]) -> list[str]:
    return [check.name for check in checks]


def test_a_small_stage_calls_for_these_checks(aws: StubbedAws) -> None:
    config = stage()
    assert names(checks_without_account(config)) == ["image"]
    assert names(checks_of_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "model demo: files",
        "model demo: weights",
        "adapters",
    ]


def test_what_a_stage_uses_is_looked_at_and_shared_things_once(aws: StubbedAws) -> None:
    models = [model("one", source=HUB), model("two", source=HUB, instance_types=["ml.g6.xlarge"])]
    config = stage(image=REGISTRY, models=models)
    assert checks_without_account(config) == []
    assert names(checks_of_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "quota ml.g6.xlarge",
        "image",
        "Hugging Face token",
        "model one: hub",
        "model two: hub",
        "adapters",
    ]


def test_companions_are_looked_at_like_other_models(aws: StubbedAws) -> None:
    config = stage(models=[model("one", companions=[{"name": "two"}, {"name": "three", "source": HUB}])])
    assert names(checks_of_account(config, aws, ACCOUNT)) == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "Hugging Face token",
        "model one: files",
        "model one: weights",
        "model two: files",
        "model two: weights",
        "model three: hub",
        "adapters",
    ]


@pytest.mark.parametrize(
    ("image", "local", "roles"),
    [
        ("codebuild", ["image"], ("deploy", "file-publishing")),
        ("docker", ["image", "Docker"], ("deploy", "file-publishing", "image-publishing")),
    ],
)
def test_docker_and_the_role_that_publishes_images_are_needed_where_images_are_built_here(
    aws: StubbedAws, image: str, local: list[str], roles: tuple[str, ...]
) -> None:
    config = stage(image={"source": image})
    assert names(checks_without_account(config)) == local
    permissions: Any = checks_of_account(config, aws, ACCOUNT)[0]
    assert permissions.kinds == roles


def cdk_json(directory: Path, content: str) -> Path:
    (directory / "cdk.json").write_text(content)
    return directory


def with_stage(directory: Path, **settings: Any) -> Path:
    document = {"context": {"stages": {"dev": {"models": [model()], **settings}}}}
    return cdk_json(directory, json.dumps(document))


def test_a_valid_stage_is_kept(tmp_path: Path) -> None:
    configuration = Configuration("dev", with_stage(tmp_path))
    assert configuration.run() == passed("stage dev: demo on ml.g5.xlarge")
    assert configuration.config == stage()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"context": {"stages": {"dev": {"models": []}}}}', "stages.dev.models"),
        ('{"context": {"stages": {"prod": {}}}}', "no stage 'dev'"),
        ('{"context": {}}', "cdk.json has no stages"),
        ("[]", "cdk.json has no stages"),
        ("{", "cdk.json cannot be read"),
    ],
)
def test_a_stage_that_is_not_valid_fails_in_one_line(tmp_path: Path, content: str, words: str) -> None:
    configuration = Configuration("dev", cdk_json(tmp_path, content))
    finding = configuration.run()
    assert (finding.status, words in finding.found) == (Status.FAIL, True)
    assert "\n" not in finding.found
    assert configuration.config is None


def test_a_missing_cdk_json_fails(tmp_path: Path) -> None:
    assert Configuration("dev", tmp_path).run().status is Status.FAIL


def statuses(lines: Any) -> dict[str, Status]:
    return {name: finding.status for name, finding in lines}


@pytest.fixture
def ready(programs: Programs) -> None:
    programs(node="echo v22.1.0", npx=f"echo {CDK_CLI}")


@pytest.mark.usefixtures("ready")
def test_without_an_account_one_line_says_so_and_the_rest_is_looked_at(
    tmp_path: Path, aws: StubbedAws
) -> None:
    aws.stub("sts").add_client_error("get_caller_identity", "InvalidClientTokenId")
    assert statuses(examine("dev", aws, with_stage(tmp_path))) == {
        "Python": Status.PASS,
        "Node": Status.PASS,
        "CDK CLI": Status.PASS,
        "configuration": Status.PASS,
        "image": Status.PASS,
        "credentials": Status.FAIL,
    }


def identify(aws: StubbedAws) -> None:
    identity = {"Account": ACCOUNT.id, "Arn": ACCOUNT.caller_arn, "UserId": "AIDAEXAMPLE"}
    aws.stub("sts").add_response("get_caller_identity", identity)
    aws.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": "30"}})


@pytest.mark.usefixtures("ready")
def test_with_an_account_every_check_has_its_line_whatever_aws_says(tmp_path: Path, aws: StubbedAws) -> None:
    identify(aws)
    aws.deny("iam", "simulate_principal_policy")
    aws.deny("service-quotas", "list_service_quotas")
    for _ in range(3):
        aws.deny("cloudformation", "describe_stacks")
    found = statuses(examine("dev", aws, with_stage(tmp_path)))
    assert list(found.values()).count(Status.PASS) == 7
    assert [name for name, status in found.items() if status is Status.SKIPPED] == [
        "IAM permissions",
        "quota ml.g5.xlarge",
        "model demo: files",
        "model demo: weights",
        "adapters",
    ]


@pytest.mark.usefixtures("ready")
def test_a_wrong_stage_leaves_the_accounts_own_checks(tmp_path: Path, aws: StubbedAws) -> None:
    identify(aws)
    found = statuses(examine("test", aws, with_stage(tmp_path)))
    assert found["configuration"] is Status.FAIL
    assert list(found)[-2:] == ["credentials", "CDK bootstrap"]


def test_the_report_is_a_line_a_check_with_the_remedy_and_a_count() -> None:
    lines = [
        ("first", passed("well [really]")),
        ("second", failed("broken", "mend it")),
        ("third", skipped("dark")),
        ("fourth", doubtful("odd", "look")),
    ]
    console = Console(width=40, record=True)
    assert report(lines, console) is False
    shown = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert shown == [
        "pass first well [really]",
        "fail second broken. To do: mend it",
        "skipped third dark",
        "warn fourth odd. To do: look",
        "1 passed, 1 doubtful, 1 failed, 1 skipped",
    ]


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.WARN])
def test_what_is_skipped_or_doubtful_is_no_failure(status: Status) -> None:
    assert report([("first", Finding(status, "dark"))], Console(quiet=True)) is True


def run_doctor() -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with nobody's credentials."""
    nobody = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    return subprocess.run(
        [sys.executable, "-m", "operations", "doctor", "--stage", "dev"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in nobody},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_runs_what_it_can_without_an_account(programs: Programs) -> None:
    programs(node=f'exec {NODE} "$@"', npx=f"echo {CDK_CLI}")
    done = run_doctor()
    assert done.returncode == 0
    assert "pass     configuration " in done.stdout
    assert "skipped  credentials " in done.stdout
    assert done.stdout.endswith("5 passed, 0 doubtful, 0 failed, 1 skipped\n")


def test_the_command_without_node_fails_in_words(programs: Programs) -> None:
    done = run_doctor()
    assert done.returncode == 1
    assert "fail     Node " in done.stdout
    assert "skipped  configuration " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
