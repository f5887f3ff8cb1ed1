"""Runs conversions, and checks their results."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from contract.manifest import MANIFEST
from inference.models.conversion import __main__ as command
from inference.models.loading import load_pipeline
from inference.models.manifests import list_files, read_manifest


def run(*arguments: object) -> int:
    """Runs the command; returns its exit status."""
    return command.main([str(argument) for argument in arguments])


def keys(s3: Any, prefix: str) -> set[str]:
    """The keys in the bucket `models` relative to the prefix."""
    found = s3.list_objects_v2(Bucket="models", Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix) for item in found}


def file_names(directory: Path) -> set[str]:
    """The paths of all files relative to the directory."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def check_converted(directory: Path, family: str) -> None:
    """Checks that the directory has a complete fp16 model of the family, and its manifest."""
    manifest = read_manifest(directory)
    assert manifest is not None
    assert manifest.family == family
    assert manifest.files == list_files(directory)
    assert {file.path for file in manifest.files} | {MANIFEST} == file_names(directory)
    for path in directory.rglob("*.safetensors"):
        assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    assert load_pipeline(directory).unet.dtype == torch.float32
