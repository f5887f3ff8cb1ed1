"""The command line that the Python examples share."""

import argparse
import ast
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.http_client import request_fields
from tests.conftest import ROOT
from tests.examples.conftest import Run

ENDPOINT = ["--endpoint", "e", "--bucket", "b"]
SCRIPTS = ["http_client.py", "boto3_client.py", "sagemaker_sdk.py"]
FIELDS = {"steps": 3, "loras": [{"name": "moon"}]}


@pytest.fixture(params=SCRIPTS)
def command(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The script and its interpreter."""
    if request.param == "sagemaker_sdk.py":
        return request.param, request.getfixturevalue("sdk_python")
    return request.param, sys.executable


def test_help_lists_every_argument(run: Run, command: tuple[str, str]) -> None:
    name, python = command
    done = run(name, "--help", python=python)
    assert done.returncode == 0
    for argument in ("prompt", "--fields", "--output", "--timeout-s"):
        assert argument in done.stdout


def test_invalid_fields_are_an_error(run: Run, command: tuple[str, str]) -> None:
    name, python = command
    required = [] if name == "http_client.py" else ENDPOINT
    done = run(name, "a red circle", *required, "--fields", "[1]", python=python)
    assert done.returncode == 2
    assert "error: argument --fields: must be a JSON object" in done.stderr


def test_every_script_has_the_same_functions_for_the_fields() -> None:
    sources = [(ROOT / "examples" / name).read_text() for name in SCRIPTS]
    for function in ("request_fields", "_embed_images"):
        assert len({segment(source, function) for source in sources}) == 1


def segment(source: str, function: str) -> str | None:
    (node,) = [
        each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef) and each.name == function
    ]
    return ast.get_source_segment(source, node)


def test_fields_are_an_argument_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(FIELDS)
    (tmp_path / "fields.json").write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    for argument in (text, f"@{tmp_path}/fields.json", "-"):
        assert request_fields(argument) == FIELDS


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("steps", "Expecting value: line 1"),
        ("[1]", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ("@missing.json", "No such file or directory: 'missing.json'"),
        ('{"input_image": "@missing.png"}', "No such file or directory: 'missing.png'"),
    ],
)
def test_the_error_names_what_is_wrong_with_the_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(argparse.ArgumentTypeError, match=error):
        request_fields(argument)


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.png", "image/png"), ("a.webp", "image/webp"), ("a.xyz123", "image/unknown")]
)
def test_image_files_become_data_urls(tmp_path: Path, name: str, media_type: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"image")
    reference, data_url = f"@{path}", f"data:{media_type};base64,aW1hZ2U="

    def request(image: str) -> dict[str, Any]:
        controlnets = [{"type": "canny", "image": image}, {"type": "depth", "image": "s3://b/k"}]
        return {"input_image": image, "mask_image": image, "controlnets": controlnets}

    assert request_fields(json.dumps(request(reference))) == request(data_url)


def test_other_fields_may_begin_with_an_at_sign() -> None:
    fields = {"negative_prompt": "@home", "vae": "@a", "input_image": "https://example.com/@a.png"}
    assert request_fields(json.dumps(fields)) == fields
