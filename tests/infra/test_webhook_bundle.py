"""The libraries of the webhook function."""

import os
import subprocess
import sys
from pathlib import Path

from infra.bundling import _SourceBundle

PROVIDED = {
    "annotated_types",
    "aws_lambda_powertools",
    "botocore",
    "dateutil",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "six",
    "typing_extensions",
    "typing_inspection",
    "urllib3",
}
"""Packages of Lambda's runtime and the Powertools layer."""

CODE = """
import sys

for absent in ("anyio", "certifi", "h2", "sniffio", "trio"):  # httpcore2 and botocore do without them
    sys.modules[absent] = None
import jobs.webhook_handler
import jobs.webhooks.wiring
from guarded_http.client import GuardedClient

GuardedClient(time_limit_s=1)
for name, module in list(sys.modules.items()):
    if "site-packages" in (getattr(module, "__file__", None) or ""):
        print(name.partition(".")[0])
"""


def test_the_function_needs_only_the_bundle_the_runtime_and_the_powertools_layer(tmp_path: Path) -> None:
    assert _SourceBundle().try_bundle(str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(tmp_path), "POWERTOOLS_SERVICE_NAME": "jobs"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = {name for name in done.stdout.split() if not name.startswith(("_", "distutils"))}
    assert installed <= PROVIDED
