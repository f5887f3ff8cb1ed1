"""The context as the CLI and `python app.py` know it."""

import json
from pathlib import Path
from typing import Any

from infra.config.context import read_context


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_the_file_of_the_application_is_read_with_its_nulls(tmp_path: Path) -> None:
    write(tmp_path / "cdk.json", {"context": {"stage": "dev", "stages": {"dev": {"web": None}}}})
    assert read_context(tmp_path, {}) == {"stage": "dev", "stages": {"dev": {"web": None}}}


def test_what_the_cli_passes_replaces_the_variables_of_the_files(tmp_path: Path) -> None:
    write(tmp_path / "cdk.json", {"context": {"stage": "dev", "a": 1, "b": 1, "c": 1, "d": 1}})
    write(tmp_path / "cdk.context.json", {"b": 2, "c": 2, "d": 2})
    environment = {"CDK_CONTEXT_JSON": json.dumps({"stage": "prod", "c": None, "d": 3})}
    expected = {"stage": "prod", "a": 1, "b": 2, "c": None, "d": 3}
    assert read_context(tmp_path, environment) == expected
    environment["CONTEXT_OVERFLOW_LOCATION_ENV"] = str(write(tmp_path / "overflow.json", {"d": 4}))
    assert read_context(tmp_path, environment) == expected | {"d": 4}
