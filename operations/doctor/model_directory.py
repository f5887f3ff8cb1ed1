"""Validation of a diffusers directory by the names of its files."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from inference.models.formats import ARCHIVES, MODEL_INDEX, PICKLES, SINGLE_FILES

_WITHOUT_WEIGHTS = ("Scheduler", "Tokenizer", "TokenizerFast", "Processor", "Extractor")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_PREFERRED_VARIANT = "fp16"


def components(index: Mapping[str, Any]) -> dict[str, str]:
    """The class name of each component in the index; components set to null are omitted."""
    return {
        name: value[1]
        for name, value in index.items()
        if not name.startswith("_") and isinstance(value, list) and len(value) == 2 and value[1] is not None
    }


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


def problems(index: Mapping[str, Any], files: Collection[str]) -> Iterator[str]:
    """The reasons why the directory cannot be loaded.

    Args:
        index: the content of model_index.json.
        files: all paths, relative to the directory.
    """
    classes = components(index)
    if not classes:
        yield f"{MODEL_INDEX} names no components"
    for name, class_name in classes.items():
        of_component = [file for file in files if PurePosixPath(file).parts[0] == name]
        if not of_component:
            yield f"{name}/ is missing"
        elif not class_name.endswith(_WITHOUT_WEIGHTS) and not weights(of_component):
            if any(file.endswith(".safetensors") for file in of_component):
                yield f"{name}/ has only weights of variants other than {_PREFERRED_VARIANT}"
            elif any(file.endswith(PICKLES) for file in of_component):
                yield f"{name}/ has only pickled weights, which are not loaded"
            else:
                yield f"{name}/ has no weights"


def _variant(path: PurePosixPath) -> str:
    """`fp16` for model.fp16.safetensors and its shards; empty for model.safetensors."""
    return _SHARD.sub("", path.stem).partition(".")[2]
