import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.address import Address, AlreadyRunningError, exclusive, published_address, read_address
from tests.conftest import ROOT

ADDRESS = Address(
    api_url="http://127.0.0.1:8080", api_key="k", data_bucket="data", aws_endpoint_url="http://127.0.0.1:4566"
)


def test_the_address_is_published_while_the_stack_runs(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    with published_address(tmp_path, ADDRESS):
        assert read_address(tmp_path) == ADDRESS
        assert json.loads((tmp_path / "endpoint.json").read_text())["api_key"] == "k"
    assert read_address(tmp_path) is None


def test_a_second_process_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from local.address import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])): pass"
    )
    second = [sys.executable, "-c", code, str(tmp_path)]
    with exclusive(tmp_path):
        done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "is starting or stopping; try again" in done.stderr
        with published_address(tmp_path, ADDRESS):
            done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 1
            assert "a local stack is already running at http://127.0.0.1:8080" in done.stderr
            assert read_address(tmp_path) == ADDRESS
    subprocess.run(second, cwd=ROOT, capture_output=True, check=True)


def test_the_address_file_of_a_killed_process_is_deleted(tmp_path: Path) -> None:
    with ExitStack() as killed:
        killed.enter_context(published_address(tmp_path, ADDRESS))
        with exclusive(tmp_path):
            assert read_address(tmp_path) is None


def test_the_lock_is_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), exclusive(tmp_path):
        raise ValueError("x")
    with exclusive(tmp_path), pytest.raises(AlreadyRunningError), exclusive(tmp_path):
        pass
