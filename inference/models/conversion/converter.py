"""Models in any of their forms made into fp16 safetensors directories in the diffusers layout."""

import json
import shutil
from pathlib import Path

import torch

from contract.manifest import ModelManifest, Original
from inference.models.family import is_named, read_json, traits_of_directory
from inference.models.formats import INDEX, REFINER, DiffusersDirectory, open_model
from inference.models.loading import load_pipeline
from inference.models.manifests import list_files, manifest_of, read_manifest

_KEPT = ("safety_checker", "feature_extractor")
"""Parts that no pipeline is loaded with, and that look at its pictures elsewhere."""


def convert(path: Path, directory: Path, original: Original) -> ModelManifest:
    """Writes the model at a path into a directory, and gives the manifest that belongs there.

    Args:
        path: see `inference.models.formats.open_model`.
        directory: empty, or not there yet.
        original: what the model is made from.

    Raises:
        UnusableModelError: there is no model at the path, or it is damaged, dangerous or incomplete.
    """
    model = open_model(path)
    _write(model.path, directory)
    own = None
    if isinstance(model, DiffusersDirectory):
        own = read_manifest(model.path)
        _keep_others(model.path, directory)
        if (model.path / REFINER / INDEX).is_file():
            _write(model.path / REFINER, directory / REFINER)
    declared = own or manifest_of(traits_of_directory(directory))
    return declared.model_copy(update={"original": original, "files": list_files(directory)})


def _write(path: Path, directory: Path) -> None:
    pipeline = load_pipeline(path, device=torch.device("cpu"), dtype=torch.float16)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.half()
    pipeline.save_pretrained(directory, safe_serialization=True, max_shard_size="100GB")


def _keep_others(source: Path, directory: Path) -> None:
    """Takes over the parts that are not loaded, as they are."""
    theirs, ours = read_json(source / INDEX), read_json(directory / INDEX)
    for name in _KEPT:
        files = [*(source / name).glob("*.json"), *(source / name).glob("*.safetensors")]
        if is_named(theirs, name) and files:
            (directory / name).mkdir(exist_ok=True)
            for file in files:
                shutil.copyfile(file, directory / name / file.name)
            ours[name] = theirs[name]
    (directory / INDEX).write_text(json.dumps(ours, indent=2) + "\n")
