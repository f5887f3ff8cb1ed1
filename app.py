"""The CDK application: `cdk deploy -c stage=NAME`, with the stages in cdk.json."""

import json
from pathlib import Path

import aws_cdk as cdk

from infra.config import DeploymentConfig
from infra.nag import add_review
from infra.stacks import add_stacks

# The CLI passes this context too; reading it here makes `python app.py` give the same templates.
context = json.loads(Path(__file__).with_name("cdk.json").read_text())["context"]
app = cdk.App(context=context)
add_stacks(app, DeploymentConfig.from_context(app.node))
add_review(app)
app.synth()
