"""Writing cdk.json files."""

import json
from pathlib import Path
from typing import Any

from tests.operations.configs import model


def write_cdk_json(directory: Path, content: str) -> Path:
    """Returns the directory."""
    (directory / "cdk.json").write_text(content)
    return directory


def write_stage(directory: Path, **settings: Any) -> Path:
    """Writes the stage dev with one model; returns the directory."""
    document = {"context": {"stages": {"dev": {"models": [model()], **settings}}}}
    return write_cdk_json(directory, json.dumps(document))
