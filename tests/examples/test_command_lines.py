"""What every script's command line has in common."""

import sys

import pytest

from tests.examples.conftest import Run

ENDPOINT = ["--endpoint", "e", "--bucket", "b"]


@pytest.fixture(params=["http_client.py", "boto3_client.py", "sagemaker_sdk.py"])
def command(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The script and its interpreter."""
    if request.param == "sagemaker_sdk.py":
        return request.param, request.getfixturevalue("sdk_python")
    return request.param, sys.executable


def test_help_names_every_argument(run: Run, command: tuple[str, str]) -> None:
    name, python = command
    done = run(name, "--help", python=python)
    assert done.returncode == 0
    for argument in ("prompt", "--fields", "--output", "--timeout-s"):
        assert argument in done.stdout


@pytest.mark.parametrize("fields", ["steps", "[1]", "7"])
def test_fields_that_are_no_json_object_are_refused(run: Run, command: tuple[str, str], fields: str) -> None:
    name, python = command
    own = [] if name == "http_client.py" else ENDPOINT
    done = run(name, "a red circle", *own, "--fields", fields, python=python)
    assert done.returncode == 2
    assert f"argument --fields: invalid json_object value: '{fields}'" in done.stderr
