"""The conversion command."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.identifiers import S3Location
from contract.manifest import MANIFEST
from inference.models.manifests import file_sha256, revision_of
from inference.transfer.s3_upload import upload, upload_directory
from tests.conftest import ROOT
from tests.inference.models import ldm_layout
from tests.inference.models.conversion.model_checks import check_converted, file_names, keys, run

USAGE = "usage: python -m inference.models.conversion FROM TO [options]\n"


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl", "sdxl_refiner"])
def test_a_single_file_is_converted(
    tmp_path: Path, temporary_directory: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prediction = "v_prediction" if family == "sd2" else "epsilon"
    file = ldm_layout.write(ldm_layout.pipeline(family, prediction=prediction), tmp_path / "a.safetensors")
    assert run(file, tmp_path / "out/model") == 0
    check_converted(tmp_path / "out/model", family)
    assert revision_of(tmp_path / "out/model") == file_sha256(file)
    assert f"out/model: a model of the family {family}, " in capsys.readouterr().out
    assert file_names(temporary_directory) == set()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]


def test_a_model_is_converted_from_s3_to_s3(s3: Any, model: Path) -> None:
    upload_directory(s3, model, S3Location("models", "original"))
    assert run("s3://models/original/", "s3://models/converted/") == 0
    assert {MANIFEST, "unet/diffusion_pytorch_model.safetensors"} <= keys(s3, "converted/")


def test_a_model_is_converted_from_s3_to_a_directory(
    tmp_path: Path, temporary_directory: Path, s3: Any
) -> None:
    file = ldm_layout.write(ldm_layout.pipeline("sd1"), tmp_path / "a.safetensors")
    upload(s3, file, S3Location("models", "a.safetensors"))
    assert run("s3://models/a.safetensors", tmp_path / "out") == 0
    check_converted(tmp_path / "out", "sd1")
    assert file_names(temporary_directory) == set()


def test_a_model_that_is_already_converted_is_kept(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in (tmp_path / "out", "s3://models/demo"):
        assert run(model, target) == 0
        assert run(model, target) == 0
        assert f"{target} already has this model." in capsys.readouterr().out


@pytest.mark.parametrize("place", ["local", "s3"])
def test_another_model_is_not_overwritten(
    tmp_path: Path, model: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" if place == "local" else "s3://models/demo"
    assert run(model, target) == 0
    (model / "unet/more.json").write_text("{}")
    assert run(model, target) == 1
    assert "already has another model; remove it, or choose another target" in capsys.readouterr().err


def test_a_damaged_model_leaves_no_files_at_the_target(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = model / "vae/diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert run(model, tmp_path / "target/out") == 1
    assert "is not a complete safetensors file" in capsys.readouterr().err
    assert file_names(tmp_path / "target") == set()


def test_an_invalid_s3_uri_is_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, "s3://models") == 1
    assert "error: s3://models is not a valid S3 URI" in capsys.readouterr().err


def test_a_target_that_cannot_be_written_is_named(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(model, tmp_path / "file/out") == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert f"{tmp_path}/file" in message
    assert "free disk space, or check the permissions" in message


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ((), "FROM and TO are missing"),
        (("", ""), "FROM and TO are missing"),
        (("", "models/a"), "FROM is missing"),
        (("a.safetensors",), "TO is missing"),
        (("a.safetensors", " "), "TO is missing"),
    ],
)
def test_missing_arguments_are_named(
    arguments: tuple[str, ...], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{USAGE}error: {missing}\n")
    assert "\nexample: make convert FROM=" in message
    for name in ("FROM", "TO"):
        assert (f"\n  {name}: " in message) == (name in missing.split())


def test_the_command_exits_with_2_and_without_a_traceback_when_make_passes_empty_values() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "inference.models.conversion", "", ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"{USAGE}error: FROM and TO are missing\n")
    assert "Traceback" not in done.stderr
