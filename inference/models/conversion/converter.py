"""Conversion of a model in any supported format to an fp16 safetensors directory in the diffusers layout."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from contract.manifest import ModelManifest, OriginalModel, SchedulerOverrides
from contract.model import ModelDefaults
from inference.models.absent_vae import AbsentVae
from inference.models.errors import UnusableModelError
from inference.models.family import has_component, model_type_of_directory, read_json
from inference.models.formats import MODEL_INDEX, REFINER, DiffusersDirectory, open_model
from inference.models.loading import load_pipeline, override_scheduler
from inference.models.manifests import default_manifest, list_files, read_manifest

_COPIED = ("safety_checker", "feature_extractor")
"""Components that are not loaded into the pipeline, and are copied unchanged."""


_NO_OVERRIDES = SchedulerOverrides()


def convert(
    path: Path,
    directory: Path,
    original: OriginalModel,
    *,
    scheduler: SchedulerOverrides = _NO_OVERRIDES,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> ModelManifest:
    """Writes the converted model into a directory and returns its manifest, which is not written.

    Args:
        path: see `inference.models.formats.open_model`.
        directory: empty, or not yet created.
        original: the source, for the manifest.
        scheduler: replaces values of the scheduler's configuration, in its file as well.
        defaults: request defaults, beside those of the source's manifest.

    Raises:
        UnusableModelError: there is no model at the path, or it is damaged, unsafe or incomplete.
    """
    model = open_model(path)
    _convert_pipeline(model.path, directory, scheduler)
    manifest = None
    if isinstance(model, DiffusersDirectory):
        manifest = read_manifest(model.path)
        _copy_components(model.path, directory)
        if (model.path / REFINER / MODEL_INDEX).is_file():
            _convert_pipeline(model.path / REFINER, directory / REFINER, _NO_OVERRIDES)
    manifest = manifest or default_manifest(model_type_of_directory(directory))
    return manifest.model_copy(
        update={
            **_overrides(manifest, scheduler, defaults),
            "original": original,
            "files": list_files(directory),
        }
    )


def _overrides(
    manifest: ModelManifest, scheduler: SchedulerOverrides, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of the manifest that the options change."""
    changed: dict[str, Any] = {}
    if scheduler.options:
        given = {} if manifest.scheduler is None else manifest.scheduler.options
        changed["scheduler"] = SchedulerOverrides(**given | scheduler.options)
    if defaults:
        given = {} if manifest.defaults is None else manifest.defaults.model_dump(exclude_unset=True)
        changed["defaults"] = ModelDefaults.model_validate(given | dict(defaults))
    return changed


def _convert_pipeline(path: Path, directory: Path, scheduler: SchedulerOverrides) -> None:
    pipeline = load_pipeline(path, device=torch.device("cpu"), dtype=torch.float16)
    vae = getattr(pipeline, "vae", None)
    if isinstance(vae, AbsentVae):
        raise UnusableModelError(
            f"{path.name} has {vae.missing}, and a diffusers directory needs a complete one; use the file "
            "without conversion and name a VAE as `vae`."
        )
    if scheduler.options:
        override_scheduler(pipeline, scheduler)
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.half()
    pipeline.save_pretrained(directory, safe_serialization=True, max_shard_size="100GB")


def _copy_components(source: Path, directory: Path) -> None:
    """Copies the components that are not loaded, with their entries in model_index.json."""
    source_index, index = read_json(source / MODEL_INDEX), read_json(directory / MODEL_INDEX)
    for name in _COPIED:
        files = [*(source / name).glob("*.json"), *(source / name).glob("*.safetensors")]
        if has_component(source_index, name) and files:
            (directory / name).mkdir(exist_ok=True)
            for file in files:
                shutil.copyfile(file, directory / name / file.name)
            index[name] = source_index[name]
    (directory / MODEL_INDEX).write_text(json.dumps(index, indent=2) + "\n")
