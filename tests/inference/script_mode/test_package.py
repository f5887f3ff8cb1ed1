"""The packaged model: its archive, and the four functions that AWS's stock containers call."""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract.document import MalformedRequestError, parse_document
from contract.problem import Problem
from inference.script_mode.functions import (
    ScriptModeError,
    ScriptModel,
    input_fn,
    model_fn,
    output_fn,
    predict_fn,
)
from inference.script_mode.package import PackageError, write_package
from training.image_analysis import analyse

STAR = {"prompt": "a big yellow star on a blue background", "steps": 20, "seed": 7}
AWS_TOOLKIT = """
import json, sys
import inference

model = inference.model_fn(sys.argv[1])
for line in sys.stdin:
    try:
        data = inference.input_fn(line, "application/json")
        response = inference.output_fn(inference.predict_fn(data, model), "application/json")
    except Exception as error:
        response = str(error)
    print(response, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def package(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "model.tar.gz"
    write_package(demo_model, target)
    return target


def invoke(directory: Path, *requests: dict[str, Any], **variables: str) -> list[Any]:
    """The responses of a process that has only the directory's code and the installed libraries."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "AWS_DEFAULT_REGION")
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", AWS_TOOLKIT, str(directory)],
        cwd=directory,
        env=inherited | {"PYTHONPATH": str(directory / "code")} | variables,
        input="".join(f"{json.dumps(request)}\n" for request in requests),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_the_archive_generates_without_the_project_and_returns_the_image_inline(
    package: Path, tmp_path: Path
) -> None:
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path, filter="data")
    problem, result = invoke(tmp_path, STAR | {"width": 100}, STAR)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("validation_failed", "#/width")
    (image,) = result["images"]
    assert (image["s3_uri"], image["seed"], image["width"], image["height"]) == (None, 7, 128, 128)
    found = analyse(Image.open(io.BytesIO(base64.b64decode(image["data"]))))
    assert (found.colour, found.shape, found.background) == ("yellow", "star", "blue")


def test_the_archive_contains_the_model_and_the_engine_and_no_other_files(package: Path) -> None:
    with tarfile.open(package) as archive:
        members = archive.getmembers()
    names = {member.name for member in members}
    code = "code/package/inference"
    assert {
        "model_index.json",
        "code/inference.py",
        "code/requirements.txt",
        f"{code}/engine/interface.py",
        "code/package/guarded_http/client.py",
    } <= names
    assert not any("demo" in name or "__pycache__" in name for name in names)
    assert {(member.mtime, member.uid, member.uname, member.mode) for member in members} == {
        (0, 0, "", 0o644)
    }


def test_the_archive_is_reproducible(demo_model: Path, package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other-name.tar.gz"
    write_package(demo_model, other)
    assert other.read_bytes() == package.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["other-name.tar.gz"]


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"has no model_index\.json"):
        write_package(tmp_path, tmp_path / "model.tar.gz")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def model(demo_model: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> ScriptModel:
    monkeypatch.setenv("DATA_BUCKET_NAME", "data")
    monkeypatch.setenv("MODEL", '{"name": "demo", "defaults": {"width": 64, "height": 64, "steps": 2}}')
    return model_fn(str(demo_model))


def test_images_are_stored_in_the_data_bucket_if_there_is_one(model: ScriptModel, s3: Any) -> None:
    result = json.loads(output_fn(predict_fn(b'{"prompt": "a red circle"}', model), "application/json"))
    model.handler.close()
    (image,) = result["images"]
    assert "data" not in image
    stored = s3.get_object(Bucket="data", Key=image["s3_uri"].removeprefix("s3://data/"))["Body"].read()
    assert Image.open(io.BytesIO(stored)).size == (64, 64)


def problem_of(error: ScriptModeError) -> Problem:
    return Problem.model_validate_json(str(error))


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-npy", ""])
def test_another_content_type_than_json_is_refused(content_type: str) -> None:
    with pytest.raises(ScriptModeError) as refused:
        input_fn("{}", content_type)
    assert problem_of(refused.value).code == "malformed_request"


@pytest.mark.parametrize("body", ["ü", "ü".encode()])
def test_the_body_may_be_text_or_bytes(body: str | bytes) -> None:
    assert input_fn(body, "application/json; charset=utf-8") == "ü".encode()


def test_text_that_is_not_unicode_is_left_to_the_handler_to_refuse() -> None:
    with pytest.raises(MalformedRequestError, match="not encoded in UTF-8"):
        parse_document(input_fn('{"prompt": "\udcff"}', "application/json"))
