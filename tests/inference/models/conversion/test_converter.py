"""The conversion command, from every kind of source to both kinds of target."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from contract.identifiers import S3Location
from contract.manifest import MANIFEST
from inference.models.conversion import __main__ as convert
from inference.models.conversion import sources, targets
from inference.models.loading import load_pipeline
from inference.models.manifests import declaration_of, read_manifest, revision_of, sha256_of, verify
from inference.transfer.errors import Obstacle, TransferError
from inference.transfer.huggingface import fetch_model
from inference.transfer.s3 import store, store_directory
from tests.inference.models import original_layout
from tests.inference.models.test_formats import pack
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def run(*arguments: object) -> int:
    return convert.main([str(argument) for argument in arguments])


def keys(s3: Any, prefix: str) -> set[str]:
    found = s3.list_objects_v2(Bucket="models", Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix) for item in found}


def names(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def check(directory: Path, family: str) -> None:
    """The directory holds a whole model of the family in half precision that is loaded."""
    manifest = read_manifest(directory)
    assert manifest is not None
    assert manifest.family == family
    verify(directory, manifest)
    assert {file.path for file in manifest.files} | {MANIFEST} == names(directory)
    for path in directory.rglob("*.safetensors"):
        assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    assert load_pipeline(directory).unet.dtype == torch.float32


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl", "sdxl_refiner"])
def test_a_single_file_becomes_a_directory(
    tmp_path: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prediction = "v_prediction" if family == "sd2" else "epsilon"
    file = original_layout.write(
        original_layout.pipeline(family, prediction=prediction), tmp_path / "a.safetensors"
    )
    assert run(file, tmp_path / "out/model") == 0
    check(tmp_path / "out/model", family)
    assert revision_of(tmp_path / "out/model") == sha256_of(file)
    assert f"holds a model of the family {family}" in capsys.readouterr().out
    assert names(tmp_path / "tmp") == set()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]


def test_a_checkpoint_and_an_archive_of_it_become_the_same_model(tmp_path: Path) -> None:
    torch.save(
        {"state_dict": original_layout.tensors_of(original_layout.pipeline("sd1"))}, tmp_path / "a.ckpt"
    )
    archive = pack(tmp_path / "model.tar.gz", **{"a.ckpt": (tmp_path / "a.ckpt").read_bytes()})
    assert run(tmp_path / "a.ckpt", tmp_path / "one") == 0
    assert run(archive, tmp_path / "two") == 0
    one, two = read_manifest(tmp_path / "one"), read_manifest(tmp_path / "two")
    assert one is not None
    assert two is not None
    assert one.files == two.files
    assert one.original is not None
    assert two.original is not None
    assert (one.original.form, two.original.form) == ("single_file", "archive")
    assert two.original.sha256 == sha256_of(archive)


def test_a_directory_keeps_what_it_declares_its_refiner_and_what_examines_pictures(
    tmp_path: Path, model: Path
) -> None:
    (model / MANIFEST).write_text(
        json.dumps({"family": "sd1", "defaults": {"steps": 7, "width": 128, "height": 128}})
    )
    original_layout.pipeline("sdxl_refiner").save_pretrained(model / "refiner")
    (model / "safety_checker").mkdir()
    (model / "safety_checker/config.json").write_text("{}")
    index = json.loads((model / "model_index.json").read_text())
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (model / "model_index.json").write_text(json.dumps(index | {"safety_checker": checker}))
    assert run(model, tmp_path / "out") == 0
    check(tmp_path / "out", "sd1")
    assert declaration_of(tmp_path / "out", "a").defaults.steps == 7
    assert json.loads((tmp_path / "out/model_index.json").read_text())["safety_checker"] == checker
    assert {"refiner/model_index.json", "safety_checker/config.json"} <= names(tmp_path / "out")


def test_a_model_of_the_hub_remembers_its_commit(
    tmp_path: Path, demo_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeHub.of(demo_model).running() as hub:
        monkeypatch.setattr(sources, "fetch_model", partial(fetch_model, endpoint=hub.url))
        assert run(f"{REPOSITORY}@{REVISION}", tmp_path / "out") == 0
    check(tmp_path / "out", "sd1")
    assert revision_of(tmp_path / "out") == REVISION


def test_what_the_hub_refuses_is_told(
    tmp_path: Path, demo_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeHub.of(demo_model).running() as hub:
        monkeypatch.setattr(sources, "fetch_model", partial(fetch_model, endpoint=hub.url))
        assert run(f"no-one/nothing@{REVISION}", tmp_path / "out") == 1
    assert "no-one/nothing does not exist, or is private" in capsys.readouterr().err


def test_models_go_from_s3_to_s3(tmp_path: Path, s3: Any, model: Path) -> None:
    store_directory(s3, model, S3Location("models", "original"))
    assert run("s3://models/original/", "s3://models/converted/") == 0
    stored = keys(s3, "converted/")
    assert {MANIFEST, "unet/diffusion_pytorch_model.safetensors"} <= stored
    store(
        s3,
        original_layout.write(original_layout.pipeline("sd1"), tmp_path / "a.safetensors"),
        S3Location("models", "a.safetensors"),
    )
    assert run("s3://models/a.safetensors", tmp_path / "out") == 0
    check(tmp_path / "out", "sd1")
    assert names(tmp_path / "tmp") == set()


def test_a_target_in_s3_that_was_left_unfinished_is_completed(
    tmp_path: Path, s3: Any, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:

        def break_off(s3: Any, source: Path, target: S3Location) -> None:
            raise TransferError(Obstacle.UNREACHABLE, target, cause="test")

        patch.setattr(targets, "store", break_off)
        assert run(model, "s3://models/demo") == 1
    assert "could not be transferred" in capsys.readouterr().err
    before = keys(s3, "demo/")
    assert "unet/diffusion_pytorch_model.safetensors" in before
    assert MANIFEST not in before
    assert run(model, "s3://models/demo") == 0
    assert keys(s3, "demo/") == before | {MANIFEST}


def test_converting_again_changes_nothing(
    tmp_path: Path, model: Path, s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in (tmp_path / "out", "s3://models/demo"):
        assert run(model, target) == 0
        assert run(model, target) == 0
        assert "The model is there already." in capsys.readouterr().out


@pytest.mark.parametrize("place", ["local", "s3"])
def test_another_model_is_not_overwritten(
    tmp_path: Path, model: Path, s3: Any, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" if place == "local" else "s3://models/demo"
    assert run(model, target) == 0
    (model / "unet/more.json").write_text("{}")
    assert run(model, target) == 1
    assert "holds another model; remove it, or name another target" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["local", "s3"])
def test_other_files_are_not_mixed_with_a_model(
    tmp_path: Path, model: Path, s3: Any, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/letter.txt").touch()
    s3.put_object(Bucket="models", Key="demo/unet/diffusion_pytorch_model.fp16.safetensors", Body=b"")
    assert run(model, tmp_path / "out" if place == "local" else "s3://models/demo") == 1
    assert "holds other files; remove" in capsys.readouterr().err
    assert names(tmp_path / "out") == {"letter.txt"}
    assert len(keys(s3, "demo/")) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere", "nowhere does not exist; give a path, an s3:// URI or"),
        ("owner/name@main", "owner/name@main is neither a path nor a model on the hub"),
        ("s3://models/none", "s3://models/none does not exist"),
        ("s3://models/none.ckpt", "s3://models/none.ckpt does not exist"),
        ("s3://models", "s3://models is no S3 URI: it must look like s3://bucket/key"),
    ],
)
def test_a_source_that_is_not_there_is_named(
    tmp_path: Path, s3: Any, source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source, tmp_path / "out") == 1
    assert f"error: {words}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_damaged_leaves_nothing_at_the_target(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = model / "vae/diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert run(model, tmp_path / "target/out") == 1
    assert "is not a whole safetensors file" in capsys.readouterr().err
    assert names(tmp_path / "target") == set()


def test_a_target_that_is_no_place_is_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, "s3://models") == 1
    assert "s3://models is no S3 URI" in capsys.readouterr().err


def test_what_is_missing_on_the_command_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("a")
    assert caught.value.code == 2
    assert "TARGET" in capsys.readouterr().err
