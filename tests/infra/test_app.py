"""app.py without the CDK's CLI."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

STAGE = {
    "models": [{"name": "demo", "instance_types": ["ml.g4dn.xlarge"]}],
    "network": {"type": "isolated", "availability_zones": 3},
    "environment": {"account": "123456789012", "region": "us-west-1"},
}
ZONES = {"availability-zones:account=123456789012:region=us-west-1": ["us-west-1a", "us-west-1c"]}


def test_lookups_of_the_cli_are_used_and_invalid_settings_end_in_one_sentence(
    tmp_path: Path, committed: dict[str, Any]
) -> None:
    """The CLI stores in cdk.context.json what it has looked up in the account."""
    settings = committed["context"] | {"stage": "dev", "stages": {"dev": STAGE}}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": settings}))
    (tmp_path / "cdk.context.json").write_text(json.dumps(ZONES))
    shutil.copyfile(ROOT / "app.py", tmp_path / "app.py")
    done = subprocess.run(
        [sys.executable, tmp_path / "app.py"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: network.availability_zones is 3, but the account has 2 availability zones in the region "
        "us-west-1 of environment; lower network.availability_zones, or choose another region"
    )
