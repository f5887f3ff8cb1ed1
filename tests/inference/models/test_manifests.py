import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contract.family import Family
from contract.manifest import MANIFEST, ManifestFile, ModelManifest, OriginalModel
from contract.model import ModelDefaults, ModelLimits
from inference.models.errors import UnusableModelError
from inference.models.family import ModelType
from inference.models.manifests import (
    declaration_of,
    default_manifest,
    directory_sha256,
    list_files,
    read_manifest,
    revision_of,
    write_manifest,
)

SHA256 = "0" * 64
ORIGINAL = OriginalModel(form="single_file", source="a.safetensors", sha256=SHA256)


def write(directory: Path, **fields: Any) -> None:
    (directory / MANIFEST).write_text(json.dumps({"family": "sdxl", **fields}))


def test_a_written_manifest_can_be_read(tmp_path: Path) -> None:
    manifest = ModelManifest(
        family=Family.SD1,
        defaults=ModelDefaults(steps=4),
        limits=ModelLimits(max_steps=8),
        original=ORIGINAL,
        files=(ManifestFile(path="unet/a.safetensors", size=1, sha256=SHA256),),
    )
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert read_manifest(tmp_path / "elsewhere") is None


def test_omitted_fields_are_those_of_the_family(tmp_path: Path) -> None:
    write(tmp_path, defaults={"steps": 4, "guidance_scale": 1.0}, limits={"max_steps": 8})
    declared = declaration_of(tmp_path, "turbo")
    assert declared.name == "turbo"
    assert declared.defaults == Family.SDXL.defaults.model_copy(update={"steps": 4, "guidance_scale": 1.0})
    assert declared.limits == Family.SDXL.limits.model_copy(update={"max_steps": 8})


def test_unset_fields_are_not_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, ModelManifest(family=Family.SDXL, defaults=ModelDefaults(steps=4)))
    assert declaration_of(tmp_path, "a").defaults.width == Family.SDXL.defaults.width


def test_without_a_manifest_the_declaration_is_that_of_the_detected_family(model: Path) -> None:
    (model / MANIFEST).unlink()
    declared = declaration_of(model, "demo")
    assert (declared.defaults, declared.limits) == (Family.SD1.defaults, Family.SD1.limits)
    assert revision_of(model) is None


@pytest.mark.parametrize(("prediction", "size"), [("epsilon", 512), ("v_prediction", 768)])
def test_the_default_size_of_sd2_depends_on_the_prediction_type(prediction: str, size: int) -> None:
    declared = default_manifest(ModelType(Family.SD2, 4, prediction)).declaration("a")
    assert (declared.defaults.width, declared.defaults.height) == (size, size)


def test_the_revision_is_the_commit_or_else_the_sha256(tmp_path: Path) -> None:
    write(tmp_path, original=ORIGINAL.model_dump())
    assert revision_of(tmp_path) == SHA256
    commit = "1" * 40
    write(tmp_path, original=ORIGINAL.model_dump() | {"form": "huggingface", "commit": commit})
    assert revision_of(tmp_path) == commit


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"family": "sd9"}, "family: "),
        ({"colour": "red"}, "colour: "),
        ({"defaults": {"steps": "many"}}, "defaults.steps: "),
        ({"files": [{"path": "../a", "size": 1, "sha256": SHA256}]}, "must be a relative path inside"),
        ({"files": [{"path": "/etc/passwd", "size": 1, "sha256": SHA256}]}, "must be a relative path inside"),
    ],
)
def test_an_invalid_field_is_named(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    write(tmp_path, **fields)
    with pytest.raises(UnusableModelError, match=f"model.json is not valid: .*{message}"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(UnusableModelError, match=r"model\.json is not valid: the file: "):
        read_manifest(tmp_path)


def test_defaults_outside_the_limits_are_refused(tmp_path: Path) -> None:
    write(tmp_path, defaults={"steps": 9}, limits={"max_steps": 8})
    with pytest.raises(UnusableModelError, match=r"defaults\.steps is 9, but limits allow 1 to 8"):
        declaration_of(tmp_path, "a")


def test_files_are_listed_without_the_manifest_and_hidden_files(model: Path) -> None:
    (model / ".cache").mkdir()
    (model / ".cache/hidden").touch()
    listed = list_files(model)
    assert (model / MANIFEST).is_file()
    assert {file.path for file in listed} == {
        path.relative_to(model).as_posix()
        for path in model.rglob("*")
        if path.is_file() and path.name not in (MANIFEST, "hidden")
    }
    config = next(file for file in listed if file.path == "vae/config.json")
    content = (model / config.path).read_bytes()
    assert (config.size, config.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_sha256_of_a_directory_depends_on_contents_and_names_only(model: Path) -> None:
    sha256 = directory_sha256(list_files(model))
    (model / ".cache").mkdir()
    (model / ".cache/hidden").touch()
    write_manifest(model, ModelManifest(family=Family.SD1))
    assert directory_sha256(list_files(model)) == sha256
    (model / "vae/config.json").rename(model / "vae/other.json")
    assert directory_sha256(list_files(model)) != sha256


def test_a_shortened_sha256_is_refused() -> None:
    with pytest.raises(ValidationError, match="sha256"):
        OriginalModel(form="archive", source="a", sha256="abc")
