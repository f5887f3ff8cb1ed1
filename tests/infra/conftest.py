"""Two stages, each synthesized once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from tests.conftest import ROOT


@dataclass(frozen=True)
class Templates:
    """A stage's templates."""

    storage: Template
    endpoints: dict[str, Template]
    api: Template

    def all(self) -> list[Template]:
        return [self.storage, *self.endpoints.values(), self.api]


def synthesize(stage: dict[str, Any]) -> Templates:
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=flags | {"stage": "test", "stages": {"test": stage}})
    add_stacks(app, DeploymentConfig.from_context(app.node))
    assembly = app.synth()
    templates = {stack.stack_name: Template.from_json(stack.template) for stack in assembly.stacks}
    endpoints = {
        name.removeprefix("StableDiffusion-test-Endpoint-"): template
        for name, template in templates.items()
        if "-Endpoint-" in name
    }
    return Templates(
        templates["StableDiffusion-test-Storage"], endpoints, templates["StableDiffusion-test-Api"]
    )


@pytest.fixture(scope="session", autouse=True)
def _quick_synthesis() -> Iterator[None]:
    """The built-in validator has a run of its own in `make check`; here it would cost seconds a synthesis."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        yield


@pytest.fixture(scope="session")
def small() -> Templates:
    """One model, every default."""
    return synthesize({"models": [{"name": "demo", "instance_type": "ml.g4dn.xlarge"}]})


@pytest.fixture(scope="session")
def large() -> Templates:
    """Two models, and every setting away from its default."""
    return synthesize(
        {
            "retention_days": 5,
            "termination_protection": True,
            "api": {"rate_limit": 3, "burst_limit": 7},
            "models": [
                {
                    "name": "first",
                    "instance_type": "ml.g5.xlarge",
                    "limits": {"max_count": 2},
                    "max_concurrent_invocations": 9,
                    "download_timeout_s": 100,
                    "startup_timeout_s": 200,
                    "scaling": {
                        "min_instances": 2,
                        "max_instances": 6,
                        "target_backlog_per_instance": 2.5,
                        "scale_in_cooldown_s": 11,
                        "scale_out_cooldown_s": 22,
                    },
                },
                {"name": "second", "instance_type": "ml.g6.xlarge"},
            ],
        }
    )


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """cdk.json as it is in the repository."""
    document: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())
    return document
