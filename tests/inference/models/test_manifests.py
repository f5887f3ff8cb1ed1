"""What a model's manifest says, and what is done without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contract.family import Family
from contract.manifest import MANIFEST, ManifestFile, ModelManifest, Original
from contract.model import ModelDefaults, ModelLimits
from inference.models.errors import UnusableModelError
from inference.models.family import Traits
from inference.models.manifests import (
    declaration_of,
    list_files,
    manifest_of,
    read_manifest,
    revision_of,
    sha256_of_all,
    verify,
    write_manifest,
)

SHA = "0" * 64
ORIGINAL = Original(form="single_file", source="a.safetensors", sha256=SHA)


def write(directory: Path, **fields: Any) -> None:
    (directory / MANIFEST).write_text(json.dumps({"family": "sdxl", **fields}))


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = ModelManifest(
        family=Family.SD1,
        defaults=ModelDefaults(steps=4),
        limits=ModelLimits(max_steps=8),
        original=ORIGINAL,
        files=(ManifestFile(path="unet/a.safetensors", size=1, sha256=SHA),),
    )
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert read_manifest(tmp_path / "elsewhere") is None


def test_what_a_manifest_leaves_out_the_family_decides(tmp_path: Path) -> None:
    write(tmp_path, defaults={"steps": 4, "guidance_scale": 1.0}, limits={"max_steps": 8})
    declared = declaration_of(tmp_path, "turbo")
    assert declared.name == "turbo"
    assert declared.defaults == Family.SDXL.defaults.model_copy(update={"steps": 4, "guidance_scale": 1.0})
    assert declared.limits == Family.SDXL.limits.model_copy(update={"max_steps": 8})


def test_a_written_manifest_leaves_the_same_out(tmp_path: Path) -> None:
    write_manifest(tmp_path, ModelManifest(family=Family.SDXL, defaults=ModelDefaults(steps=4)))
    assert declaration_of(tmp_path, "a").defaults.width == Family.SDXL.defaults.width


def test_without_a_manifest_the_files_decide(model: Path) -> None:
    (model / MANIFEST).unlink()
    declared = declaration_of(model, "demo")
    assert (declared.defaults, declared.limits) == (Family.SD1.defaults, Family.SD1.limits)
    assert revision_of(model) is None


@pytest.mark.parametrize(("prediction", "size"), [("epsilon", 512), ("v_prediction", 768)])
def test_the_two_kinds_of_sd2_draw_at_their_own_sizes(prediction: str, size: int) -> None:
    declared = manifest_of(Traits(Family.SD2, 4, prediction)).declaration("a")
    assert (declared.defaults.width, declared.defaults.height) == (size, size)


def test_the_revision_is_the_commit_or_else_the_digest(tmp_path: Path) -> None:
    write(tmp_path, original=ORIGINAL.model_dump())
    assert revision_of(tmp_path) == SHA
    commit = "1" * 40
    write(tmp_path, original=ORIGINAL.model_dump() | {"form": "huggingface", "commit": commit})
    assert revision_of(tmp_path) == commit


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"family": "sd9"}, "family: "),
        ({"colour": "red"}, "colour: "),
        ({"defaults": {"steps": "many"}}, "defaults.steps: "),
        ({"files": [{"path": "../a", "size": 1, "sha256": SHA}]}, "must be a path inside"),
        ({"files": [{"path": "/etc/passwd", "size": 1, "sha256": SHA}]}, "must be a path inside"),
    ],
)
def test_a_wrong_manifest_is_refused_by_field(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    write(tmp_path, **fields)
    with pytest.raises(UnusableModelError, match=f"model.json is not valid: .*{words}"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(UnusableModelError, match=r"model\.json is not valid: it: "):
        read_manifest(tmp_path)


def test_defaults_outside_the_models_limits_are_refused(tmp_path: Path) -> None:
    write(tmp_path, defaults={"steps": 9}, limits={"max_steps": 8})
    with pytest.raises(UnusableModelError, match="the defaults for steps are outside"):
        declaration_of(tmp_path, "a")


def test_a_directory_is_as_its_manifest_says_until_it_is_touched(model: Path) -> None:
    manifest = ModelManifest(family=Family.SD1, files=list_files(model))
    write_manifest(model, manifest)
    assert MANIFEST not in [file.path for file in manifest.files]
    verify(model, manifest)
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (model / "vae/config.json").unlink()
    with pytest.raises(
        UnusableModelError, match=r"unet/\S+ is not what it was, vae/config.json is missing; fetch it again"
    ):
        verify(model, manifest)


def test_the_digest_of_a_directory_is_that_of_its_files_and_names(model: Path) -> None:
    digest = sha256_of_all(list_files(model))
    (model / ".cache").mkdir()
    (model / ".cache/notes").touch()
    write_manifest(model, ModelManifest(family=Family.SD1))
    assert sha256_of_all(list_files(model)) == digest
    (model / "vae/config.json").rename(model / "vae/other.json")
    assert sha256_of_all(list_files(model)) != digest


def test_an_original_has_a_whole_digest() -> None:
    with pytest.raises(ValidationError, match="sha256"):
        Original(form="archive", source="a", sha256="abc")
