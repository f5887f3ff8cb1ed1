"""Edits the configuration files of models."""

import json
from pathlib import Path
from typing import Any


def edit(path: Path, **values: Any) -> None:
    """Replaces values of the JSON object in a file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
