"""The CDK application: `cdk deploy -c stage=NAME` deploys a stage of cdk.json."""

import os
import sys
from pathlib import Path

import aws_cdk as cdk

from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.config.context import read_context
from infra.nag import add_nag_checks
from infra.stacks import add_stacks

context = read_context(Path(__file__).parent, os.environ)
app = cdk.App(context=context)
try:
    add_stacks(app, DeploymentConfig.from_context(context))
except InvalidConfigurationError as error:
    sys.exit(f"error: {error}")
add_nag_checks(app)
app.synth()
