"""State dicts of pickled checkpoints (.ckpt, .pt, .pth, .bin)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.models.errors import UnusableModelError
from inference.models.safe_pickle import PickleRejectedError, PickleRejection, read_pickle

_MESSAGES = {
    PickleRejection.NOT_A_PICKLE: (
        "{name} is truncated, or not a PyTorch checkpoint, and was not loaded; download it again."
    ),
    PickleRejection.DANGEROUS: (
        "{name} is dangerous and was not loaded: unpickling it would call {calls}; {remedy}"
    ),
    PickleRejection.SCAN_FAILED: (
        "{name} could not be scanned and was not loaded: it is damaged, or hides code; {remedy}"
    ),
    PickleRejection.NOT_ONLY_TENSORS: (
        "{name} has objects other than tensors and plain values, and was not loaded; {remedy}"
    ),
    PickleRejection.DAMAGED: "{name} is truncated or damaged, and was not loaded; download it again.",
}
_REMEDY = "use the model's .safetensors file."


def load_checkpoint(path: Path) -> Mapping[str, Any]:
    """The state dict of a checkpoint on the CPU, with its `global_step` if it has one.

    Nothing that the pickle names is called.

    Raises:
        UnusableModelError: the pickle is unsafe or damaged, or has no state dict.
    """
    try:
        content = read_pickle(path)
    except PickleRejectedError as error:
        message = _MESSAGES[error.reason]
        raise UnusableModelError(
            message.format(name=path.name, calls=", ".join(error.calls), remedy=_REMEDY)
        ) from error
    while isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        steps = content.get("global_step")
        content = {**content["state_dict"]} | ({"global_step": steps} if isinstance(steps, int) else {})
    if not isinstance(content, Mapping):
        raise UnusableModelError(f"{path.name} has no state dict; {_REMEDY}")
    return content
