"""What a directory in the diffusers layout must hold, judged by the names of its files."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from inference.models.formats import ARCHIVES, MODEL_INDEX, PICKLES, SINGLE_FILES

_WITHOUT_WEIGHTS = ("Scheduler", "Tokenizer", "TokenizerFast", "Processor", "Extractor")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_PREFERRED_VARIANT = "fp16"


def components(index: Mapping[str, Any]) -> dict[str, str]:
    """The class of each component that the index names; those set to null are left out."""
    return {
        name: value[1]
        for name, value in index.items()
        if not name.startswith("_") and isinstance(value, list) and len(value) == 2 and value[1] is not None
    }


def single_model(files: Collection[str]) -> str | None:
    """The one file that the model is, where it is no directory of parts; see `inference.models.formats`."""
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


def faults(index: Mapping[str, Any], files: Collection[str]) -> Iterator[str]:
    """What is wrong, one clause each.

    Args:
        index: the content of model_index.json.
        files: paths below the directory.
    """
    named = components(index)
    if not named:
        yield f"{MODEL_INDEX} names no components"
    for name, kind in named.items():
        own = [file for file in files if PurePosixPath(file).parts[0] == name]
        if not own:
            yield f"{name}/ is missing"
        elif not kind.endswith(_WITHOUT_WEIGHTS) and not weights(own):
            if any(file.endswith(".safetensors") for file in own):
                yield f"{name}/ has the weights of a variant other than {_PREFERRED_VARIANT} only"
            elif any(file.endswith(PICKLES) for file in own):
                yield f"{name}/ has pickled weights only, which are not loaded"
            else:
                yield f"{name}/ has no weights"


def _variant(path: PurePosixPath) -> str:
    """`fp16` for model.fp16.safetensors and its shards; nothing for model.safetensors."""
    return _SHARD.sub("", path.stem).partition(".")[2]
