import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from infra.config import DeploymentConfig
from infra.nag import acknowledge, add_nag_checks
from infra.stacks import add_stacks
from tests.conftest import ROOT
from tests.infra.conftest import LARGE, PAGE, SMALL, Templates, synthesize


def open_findings(
    tmp_path: Path,
    stage: dict[str, Any] | None,
    *,
    context: dict[str, str] | None = None,
    insecure_bucket: bool = False,
) -> list[str]:
    """The rules with findings that are not acknowledged."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"] | (context or {})
    app = cdk.App(
        context=flags,
        outdir=str(tmp_path),
        builtin_cloud_formation_validation=False,
    )
    if stage is not None:
        add_stacks(app, DeploymentConfig.for_stage("test", {"test": stage}), page=PAGE)
    if insecure_bucket:
        s3.Bucket(cdk.Stack(app, "Insecure"), "Bucket")
    add_nag_checks(app)
    try:
        app.synth()
    except RuntimeError:
        assert (tmp_path / "validation-report.json").exists()
    report = tmp_path / "validation-report.json"
    if not report.exists():
        return []
    plugins = json.loads(report.read_text())["pluginReports"]
    return [violation["ruleName"] for plugin in plugins for violation in plugin["violations"]]


PAGE_WITH_ALL_SETTINGS: dict[str, Any] = SMALL | {
    "customer_managed_key": True,
    "output_prefixes": ["s3://team-results/images/"],
    "api": {
        "auth": {
            "type": "cognito",
            "user_pool_arn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc",
            "scopes": ["images/write"],
        },
        "firewall_requests_per_5_minutes": 500,
        "allowed_origins": ["https://other.example.com"],
    },
    "web": {
        "domain": {
            "name": "page.example.com",
            "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d",
            "hosted_zone_id": "Z0123456789ABC",
        },
        "sign_in": {"domain": "team.auth.us-east-1.amazoncognito.com"},
    },
}
PRIVATE: dict[str, Any] = SMALL | {"api": {"vpc_endpoint_ids": ["vpce-01234567"]}}


@pytest.mark.parametrize(
    "stage",
    [SMALL, LARGE, PRIVATE, PAGE_WITH_ALL_SETTINGS],
    ids=["small", "large", "private", "page with all settings"],
)
def test_all_findings_are_acknowledged(tmp_path: Path, stage: dict[str, Any]) -> None:
    assert open_findings(tmp_path, stage) == []


def test_findings_are_acknowledged_with_an_environment_and_a_bootstrap_qualifier(tmp_path: Path) -> None:
    environment = {"account": "123456789012", "region": "eu-central-1"}
    topics = {"topic_arns": ["arn:aws:sns:eu-central-1:123456789012:incidents"]}
    context = {"@aws-cdk/core:bootstrapQualifier": "team1"}
    for name, stage in (
        ("large", LARGE | {"environment": environment, "alarms": LARGE["alarms"] | topics}),
        ("page", SMALL | {"environment": environment}),
    ):
        assert open_findings(tmp_path / name, stage, context=context) == []


def test_an_insecure_bucket_is_found(tmp_path: Path) -> None:
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= set(open_findings(tmp_path, None, insecure_bucket=True))


def test_an_acknowledgement_without_a_reason_is_rejected() -> None:
    stack = cdk.Stack()
    with pytest.raises(ValueError, match="S1: the reason 'ok' is too short"):
        acknowledge(stack, {"S1": "ok"})


def test_cfn_lint_accepts_the_templates_with_all_settings(tmp_path: Path, large: Templates) -> None:
    page = synthesize(PAGE_WITH_ALL_SETTINGS).by_stack["Web"]
    for name, template in {**large.by_stack, "Web": page}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(template.to_json()))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "-t", *map(str, tmp_path.iterdir())]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")
