"""A stage's templates, made as `make synth` makes them, and thrown away."""

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk

from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from operations.cost.inventory import Template


def templates_of(config: DeploymentConfig, context: Mapping[str, Any]) -> list[Template]:
    """The templates of the stage's stacks.

    Args:
        config: the stage.
        context: of cdk.json, whose flags change what CDK makes.
    """
    with TemporaryDirectory() as directory:
        app = cdk.App(
            context=dict(context),
            outdir=directory,
            builtin_cloud_formation_validation=False,  # costs seconds; `make check` has it
        )
        add_stacks(app, config)
        return [stack.template for stack in app.synth().stacks]
