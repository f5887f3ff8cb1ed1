import tempfile
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Any) -> Path:
    """The directory of temporary files; conversions use it, and a mocked S3."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory
