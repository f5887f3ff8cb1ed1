import json
from pathlib import Path

import pytest
import torch

from contract.manifest import MANIFEST, ModelManifest, OriginalModel
from inference.models.conversion.converter import convert
from inference.models.errors import UnusableModelError
from inference.models.manifests import declaration_of, write_manifest
from tests.inference.models import ldm_layout
from tests.inference.models.archive_files import pack
from tests.inference.models.conversion.model_checks import check_converted, file_names
from tests.inference.models.json_files import edit

ORIGINAL = OriginalModel(form="single_file", source="a", sha256="0" * 64)


def converted(source: Path, directory: Path) -> ModelManifest:
    manifest = convert(source, directory, ORIGINAL)
    write_manifest(directory, manifest)
    return manifest


def test_a_pickled_checkpoint_and_its_archive_give_the_same_files(tmp_path: Path) -> None:
    checkpoint = tmp_path / "a.ckpt"
    torch.save({"state_dict": ldm_layout.tensors_of(ldm_layout.pipeline("sd1"))}, checkpoint)
    archive = pack(tmp_path / "model.tar.gz", **{"a.ckpt": checkpoint.read_bytes()})
    first, second = converted(checkpoint, tmp_path / "first"), converted(archive, tmp_path / "second")
    check_converted(tmp_path / "first", "sd1")
    assert first.files == second.files
    assert first.original == ORIGINAL


def test_the_manifest_of_the_source_is_kept(tmp_path: Path, model: Path) -> None:
    fields = {"family": "sd1", "defaults": {"steps": 7, "width": 128, "height": 128}}
    (model / MANIFEST).write_text(json.dumps(fields))
    converted(model, tmp_path / "out")
    check_converted(tmp_path / "out", "sd1")
    assert declaration_of(tmp_path / "out", "a").defaults.steps == 7


def test_the_refiner_is_converted(tmp_path: Path, model: Path) -> None:
    ldm_layout.pipeline("sdxl_refiner").save_pretrained(model / "refiner")
    converted(model, tmp_path / "out")
    check_converted(tmp_path / "out", "sd1")
    assert "refiner/model_index.json" in file_names(tmp_path / "out")


def test_the_safety_checker_is_copied(tmp_path: Path, model: Path) -> None:
    safety_checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (model / "safety_checker").mkdir()
    (model / "safety_checker/config.json").write_text("{}")
    edit(model / "model_index.json", safety_checker=safety_checker)
    converted(model, tmp_path / "out")
    assert json.loads((tmp_path / "out/model_index.json").read_text())["safety_checker"] == safety_checker
    assert (tmp_path / "out/safety_checker/config.json").read_text() == "{}"


def test_a_checkpoint_without_a_vae_is_not_converted(tmp_path: Path) -> None:
    tensors = ldm_layout.tensors_of(ldm_layout.pipeline("sd1"))
    rest = {name: value for name, value in tensors.items() if not name.startswith("first_stage_model.")}
    torch.save({"state_dict": rest}, tmp_path / "bare.ckpt")
    with pytest.raises(UnusableModelError, match=r"bare\.ckpt has no VAE, and a diffusers directory needs"):
        convert(tmp_path / "bare.ckpt", tmp_path / "converted", ORIGINAL)
    assert not (tmp_path / "converted").exists()
