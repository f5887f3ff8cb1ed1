"""Weights in pickles, which are programs: examined first, then read for their tensors alone."""

import logging
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from picklescan.scanner import SafetyLevel, scan_file_path

from inference.models.errors import UnusableModelError

logging.getLogger("picklescan").setLevel(logging.ERROR)  # what it finds is told below

_REMEDY = "take a .safetensors of the model from those who made it."
_BAGGAGE = re.compile(r"pytorch_lightning\.[\w.]+|numpy\.(_?core\.multiarray\.scalar|dtype)")
"""What training has left in the makers' own files: known to do nothing, and not wanted."""


_SYMPTOMS = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What damaged pickles make of their reader."""


class _Ignored:
    """Stands where baggage stood."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def load_pickle(path: Path) -> Mapping[str, Any]:
    """The tensors of a .ckpt, .pt or .bin, on the CPU; nothing that it names is called.

    Raises:
        UnusableModelError: it would call what no tensor needs, or is damaged.
    """
    _check(path)
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path) if zipfile.is_zipfile(path) else []
        stand_ins: list[Any] = [(_Ignored, name) for name in names if _BAGGAGE.fullmatch(name)]
        with torch.serialization.safe_globals(stand_ins):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except UnpicklingError as error:
        raise UnusableModelError(
            f"{path.name} holds more than tensors, and is not read; {_REMEDY}"
        ) from error
    except _SYMPTOMS as error:
        raise UnusableModelError(
            f"{path.name} cannot be read ({type(error).__name__}): it is cut off or damaged; fetch it again."
        ) from error
    while isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        steps = content.get("global_step")
        content = {**content["state_dict"]} | ({"global_step": steps} if isinstance(steps, int) else {})
    if not isinstance(content, Mapping):
        raise UnusableModelError(f"{path.name} holds no tensors by name; {_REMEDY}")
    return content


def _check(path: Path) -> None:
    """Refuses a pickle that names what could do harm.

    Raises:
        UnusableModelError: with the names.
    """
    hidden = UnusableModelError(
        f"{path.name} cannot be examined, and is not read: it is damaged or hides something; {_REMEDY}"
    )
    try:
        found = scan_file_path(str(path))
    except (zipfile.BadZipFile, *_SYMPTOMS) as error:
        raise hidden from error
    dangerous = sorted(f"{g.module}.{g.name}" for g in found.globals if g.safety is SafetyLevel.Dangerous)
    if dangerous:
        raise UnusableModelError(
            f"{path.name} is dangerous, and was not read: it would call {', '.join(dangerous)}; {_REMEDY}"
        )
    if found.scan_err:
        raise hidden
