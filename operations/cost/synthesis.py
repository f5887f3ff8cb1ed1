"""Synthesis of a stage's templates in memory, as `make synth` writes them."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk

from contract.page import ASSETS_PREFIX, INDEX
from infra.config import DeploymentConfig
from infra.stacks import add_stacks
from operations.cost.inventory import Template


def synthesize_templates(config: DeploymentConfig, context: Mapping[str, Any]) -> list[Template]:
    """The templates of the stage's stacks.

    Args:
        config: the stage.
        context: the context of cdk.json with the CDK's feature flags.

    Raises:
        InvalidConfigurationError: the stage exceeds a limit of AWS.
    """
    with TemporaryDirectory() as directory, TemporaryDirectory() as page:
        # The page's files cost nothing, so that it need not be built.
        (Path(page) / INDEX).touch()
        (Path(page) / ASSETS_PREFIX).mkdir()
        app = cdk.App(
            context=dict(context),
            outdir=directory,
            builtin_cloud_formation_validation=False,  # takes seconds; `make check` includes it
        )
        add_stacks(app, config, page=Path(page))
        return [stack.template for stack in app.synth().stacks]
