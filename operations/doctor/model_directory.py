"""The files of a model by their names: the file that is the whole model, and the weights that are loaded."""

import re
from collections.abc import Collection
from pathlib import PurePosixPath

from inference.models.formats import ARCHIVES, MODEL_INDEX, SINGLE_FILES

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_PREFERRED_VARIANT = "fp16"


def single_model(files: Collection[str]) -> str | None:
    """The archive or checkpoint (see `inference.models.formats`) that is the whole model, or None."""
    if MODEL_INDEX in files:
        return None
    models = [file for file in files if "/" not in file and file.endswith(ARCHIVES + SINGLE_FILES)]
    return models[0] if len(models) == 1 else None


def weights(files: Collection[str]) -> list[str]:
    """The safetensors files that are loaded: a component's fp16 variant, or else those without a variant."""
    paths = [path for path in map(PurePosixPath, sorted(files)) if path.suffix == ".safetensors"]
    preferred = {path.parent for path in paths if _variant(path) == _PREFERRED_VARIANT}
    return [
        str(path)
        for path in paths
        if len(path.parts) == 2 and _variant(path) == (_PREFERRED_VARIANT if path.parent in preferred else "")
    ]


def _variant(path: PurePosixPath) -> str:
    """`fp16` for model.fp16.safetensors and its shards; empty for model.safetensors."""
    return _SHARD.sub("", path.stem).partition(".")[2]
