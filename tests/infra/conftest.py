"""Templates of two stages, each synthesized once per session."""

import json
import re
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from contract.environment import ContainerEnvironment
from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from tests.conftest import ROOT

PAGE = ROOT / "tests" / "infra" / "page"
"""A page that needs no build."""


@dataclass(frozen=True)
class Templates:
    """The templates of a stage by the names of its stacks, without the prefix of the stage."""

    by_stack: dict[str, Template]

    @property
    def storage(self) -> Template:
        return self.by_stack["Storage"]

    @property
    def api(self) -> Template:
        return self.by_stack["Api"]

    @property
    def endpoints(self) -> dict[str, Template]:
        prefix = "Endpoint-"
        return {
            name.removeprefix(prefix): template
            for name, template in self.by_stack.items()
            if name.startswith(prefix)
        }

    def all(self) -> list[Template]:
        return list(self.by_stack.values())


def only(template: Template, kind: str) -> Any:
    """The properties of the only resource of this type."""
    ((_, resource),) = template.find_resources(kind).items()
    return resource["Properties"]


def container_environment(template: Template) -> ContainerEnvironment:
    """The container's environment; references to the Storage stack are replaced by `data` and `models`."""
    variables = only(template, "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    return ContainerEnvironment.read({name: _resolved(value) for name, value in variables.items()})


def _resolved(value: Any) -> str:
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_resolved, parts))
        case str():
            return value
        case _:
            return "models" if "StorageModels" in text(value) else "data"


def without_hash(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


def text(value: Any) -> str:
    return json.dumps(value)


def synthesize(stage: dict[str, Any], *, context: dict[str, Any] | None = None) -> Templates:
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(
        context=flags | (context or {}),
        builtin_cloud_formation_validation=False,  # takes seconds; `make check` includes it
    )
    add_stacks(app, DeploymentConfig.for_stage("test", {"test": stage}), page=PAGE)
    return Templates(
        {
            stack.stack_name.removeprefix("StableDiffusion-test-"): Template.from_json(stack.template)
            for stack in app.synth().stacks
        }
    )


SMALL: dict[str, Any] = {"models": [{"name": "demo", "instance_types": ["ml.g4dn.xlarge"]}]}
"""One model with default settings."""

LARGE: dict[str, Any] = {
    "retention_days": 5,
    "log_retention_days": 7,
    "log_prompts": True,
    "tracing": False,
    "termination_protection": True,
    "customer_managed_key": True,
    "output_prefixes": ["s3://team-results/images/", "s3://archive/a/b/"],
    "api": {
        "rate_limit": 3,
        "burst_limit": 7,
        "auth": {"type": "iam"},
        "firewall_requests_per_5_minutes": 500,
        "domain": {
            "name": "images.example.com",
            "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d",
            "hosted_zone_id": "Z0123456789ABC",
        },
    },
    "web": None,
    "network": {"type": "isolated", "availability_zones": 2},
    "tags": {"team": "design", "cost center": "4711/a"},
    "permissions_boundary": "teams/design-boundary",
    "alarms": {
        "emails": ["oncall@example.com"],
        "topic_arns": ["arn:aws:sns:us-east-1:123456789012:incidents"],
        "backlog_age_s": 77,
        "wake_up_s": 300,
        "gpu_memory_percent": 88,
    },
    "models": [
        {
            "name": "first",
            "instance_types": ["ml.g5.xlarge"],
            "limits": {"max_count": 2},
            "max_concurrent_invocations": 9,
            "max_batch_size": 4,
            "fixed_batch_size": True,
            "compile": True,
            "cuda_graphs": False,
            "merge_loras": True,
            "warm_up": False,
            "safety": {"mode": "blur", "checker": "strict"},
            "watermark": "generated image",
            "companions": [
                {"name": "anime", "limits": {"max_count": 1}},
                {"name": "photo", "source": {"type": "s3", "uri": "s3://team-models/photo/v3/"}},
            ],
            "model_memory_gib": 12.5,
            "download_timeout_s": 100,
            "startup_timeout_s": 200,
            "invocation_timeout_s": 300,
            "request_ttl_s": 400,
            "auto_rollback": False,
            "scaling": {
                "idle_tail_s": 240,
                "busy_tail_s": 1200,
                "scheduled_minimums": [
                    {
                        "cron": "cron(0 8 ? * MON-FRI *)",
                        "time_zone": "Europe/Berlin",
                        "min_instances": 3,
                    }
                ],
                "min_instances": 2,
                "max_instances": 6,
                "target_backlog_per_instance": 2.5,
                "scale_in_cooldown_s": 11,
                "scale_out_cooldown_s": 22,
            },
        },
        {"name": "second", "instance_types": ["ml.g6e.xlarge", "ml.g6.xlarge", "ml.g4dn.xlarge"]},
    ],
}
"""Two endpoints, one of them with companions, and a value other than the default for every setting."""


@pytest.fixture(scope="session")
def small() -> Templates:
    return synthesize(SMALL)


@pytest.fixture(scope="session")
def large() -> Templates:
    return synthesize(LARGE)


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """The content of the repository's cdk.json."""
    document: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())
    return document
