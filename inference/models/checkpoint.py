"""State dicts of pickled checkpoints (.ckpt, .pt, .pth, .bin)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.models.errors import UnusableModelError
from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.safe_pickle import read_pickle

_STATE_DICT = "state_dict"
_GLOBAL_STEP = "global_step"
_MAX_NESTING = 3
"""Number of state dicts that may contain one another."""

_MESSAGES = {
    PickleRejection.NOT_A_PICKLE: (
        "{name} is truncated, or not a PyTorch checkpoint, and was not loaded; download it again."
    ),
    PickleRejection.FORBIDDEN: (
        "{name} was not loaded: it refers to {names}, and only tensors and plain values are read; {remedy}"
    ),
    PickleRejection.COMPRESSED: ("{name} was not loaded: it has compressed or encrypted entries; {remedy}"),
    PickleRejection.TOO_COMPLEX: (
        "{name} was not loaded: it has more entries than any Stable Diffusion checkpoint; {remedy}"
    ),
    PickleRejection.UNSUPPORTED_KEYS: (
        "{name} was not loaded: it has a dictionary with keys that are neither short texts nor integers; "
        "{remedy}"
    ),
    PickleRejection.OVERSIZED: (
        "{name} was not loaded: it describes tensors that are larger than their data in the file; {remedy}"
    ),
    PickleRejection.DAMAGED: "{name} is truncated or damaged, and was not loaded; download it again.",
}
_REMEDY = "use the model's .safetensors file."


def load_checkpoint(path: Path) -> Mapping[str, Any]:
    """The state dict of a checkpoint on the CPU, with its `global_step` if it has one.

    Raises:
        UnusableModelError: the pickle is unsafe or damaged, or has no state dict.
    """
    try:
        content = read_pickle(path)
    except PickleRejectedError as error:
        message = _MESSAGES[error.reason]
        raise UnusableModelError(
            message.format(name=path.name, names=", ".join(error.names), remedy=_REMEDY)
        ) from error
    global_step = None
    for _ in range(_MAX_NESTING):
        if isinstance(content, dict) and isinstance(content.get(_STATE_DICT), dict):
            global_step = content.get(_GLOBAL_STEP)
            content = content[_STATE_DICT]
    if not isinstance(content, dict) or isinstance(content.get(_STATE_DICT), dict):
        raise UnusableModelError(f"{path.name} has no state dict; {_REMEDY}")
    if not all(isinstance(key, str) for key in content):
        raise UnusableModelError(f"{path.name} has a state dict with keys that are not text; {_REMEDY}")
    return {**content, _GLOBAL_STEP: global_step} if isinstance(global_step, int) else content
