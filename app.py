"""The CDK application: `cdk deploy -c stage=NAME` deploys a stage of cdk.json."""

import json
import sys
from pathlib import Path

import aws_cdk as cdk

from infra.config import DeploymentConfig, InvalidConfigurationError
from infra.nag import add_nag_checks
from infra.stacks import add_stacks

# The CLI passes the same context; it is read here so that `python app.py` produces the same templates.
# cdk.context.json has what the CLI has looked up in accounts, such as availability zones.
context = json.loads(Path(__file__).with_name("cdk.json").read_text())["context"]
lookups = Path(__file__).with_name("cdk.context.json")
if lookups.exists():
    context |= json.loads(lookups.read_text())
app = cdk.App(context=context)
try:
    add_stacks(app, DeploymentConfig.from_context(app.node))
except InvalidConfigurationError as error:
    sys.exit(f"error: {error}")
add_nag_checks(app)
app.synth()
