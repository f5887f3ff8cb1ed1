from pathlib import Path
from typing import Any

import pytest

from contract.family import Family
from contract.identifiers import S3Location
from contract.manifest import MANIFEST, ModelManifest
from inference.models.conversion import targets
from inference.models.conversion.targets import LocalTarget, S3Target, Target
from inference.models.errors import UnusableModelError
from inference.models.manifests import list_files
from inference.transfer.errors import TransferError, TransferFailure
from tests.inference.models.conversion.model_checks import file_names, keys

FILES = {"model_index.json", "unet/config.json"}


@pytest.fixture
def local(tmp_path: Path) -> LocalTarget:
    return LocalTarget(tmp_path / "parent/out")


@pytest.fixture
def in_s3(s3: Any, tmp_path: Path) -> S3Target:
    return S3Target(s3, S3Location("models", "demo/"), tmp_path / "scratch")


def stage(target: Target) -> ModelManifest:
    """Writes a model into the staging directory; returns its manifest."""
    for name in FILES:
        path = target.staging_directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return ModelManifest(family=Family.SD1, files=list_files(target.staging_directory))


def test_a_local_target_has_the_published_model(local: LocalTarget, tmp_path: Path) -> None:
    assert local.manifest() is None
    manifest = stage(local)
    assert not (tmp_path / "parent/out").exists()
    local.publish(manifest)
    assert local.manifest() == manifest
    assert file_names(tmp_path / "parent") == {f"out/{name}" for name in FILES | {MANIFEST}}


def test_an_s3_target_has_the_published_model(in_s3: S3Target, s3: Any) -> None:
    assert in_s3.manifest() is None
    manifest = stage(in_s3)
    in_s3.publish(manifest)
    assert in_s3.manifest() == manifest
    assert keys(s3, "demo/") == FILES | {MANIFEST}


def test_an_interrupted_upload_is_completed_by_the_next_call(
    in_s3: S3Target, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_s3: Any, _source: Path, target: S3Location) -> None:
        raise TransferError(TransferFailure.INTERRUPTED, target, cause="test")

    manifest = stage(in_s3)
    with monkeypatch.context() as patch:
        patch.setattr(targets, "upload", fail)  # uploads the manifest
        with pytest.raises(TransferError, match="could not be transferred"):
            in_s3.publish(manifest)
    assert keys(s3, "demo/") == FILES
    assert in_s3.manifest() is None
    in_s3.publish(manifest)
    assert keys(s3, "demo/") == FILES | {MANIFEST}


def test_other_files_in_a_local_target_are_kept(local: LocalTarget, tmp_path: Path) -> None:
    (tmp_path / "parent/out").mkdir(parents=True)
    (tmp_path / "parent/out/letter.txt").touch()
    with pytest.raises(
        UnusableModelError, match="out has other files; remove them, or choose another target"
    ):
        local.manifest()
    assert file_names(tmp_path / "parent") == {"out/letter.txt"}


def test_other_files_in_an_s3_target_are_kept(in_s3: S3Target, s3: Any) -> None:
    key = "demo/unet/diffusion_pytorch_model.fp16.safetensors"
    s3.put_object(Bucket="models", Key=key, Body=b"")
    with pytest.raises(UnusableModelError, match=f"has other files; remove s3://models/{key}, or choose"):
        in_s3.publish(stage(in_s3))
    assert keys(s3, "") == {key}
