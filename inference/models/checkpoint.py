"""Weights in pickles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.models.errors import UnusableModelError
from inference.models.safe_pickle import Flaw, UnreadPickleError, read_pickle

_SENTENCES = {
    Flaw.OTHER: "{name} cannot be read: it is cut off, or no checkpoint of PyTorch's; fetch it again.",
    Flaw.DANGEROUS: "{name} is dangerous, and was not read: it would call {calls}; {remedy}",
    Flaw.OPAQUE: ("{name} cannot be examined, and is not read: it is damaged or hides something; {remedy}"),
    Flaw.MORE_THAN_TENSORS: "{name} holds more than tensors, and is not read; {remedy}",
    Flaw.DAMAGED: "{name} cannot be read: it is cut off or damaged; fetch it again.",
}
_REMEDY = "take a .safetensors of the model from those who made it."


def load_pickle(path: Path) -> Mapping[str, Any]:
    """The tensors of a .ckpt, .pt or .bin, on the CPU; nothing that it names is called.

    Raises:
        UnusableModelError: it would call what no tensor needs, or is damaged.
    """
    try:
        content = read_pickle(path)
    except UnreadPickleError as error:
        sentence = _SENTENCES[error.flaw]
        raise UnusableModelError(
            sentence.format(name=path.name, calls=", ".join(error.calls), remedy=_REMEDY)
        ) from error
    while isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        steps = content.get("global_step")
        content = {**content["state_dict"]} | ({"global_step": steps} if isinstance(steps, int) else {})
    if not isinstance(content, Mapping):
        raise UnusableModelError(f"{path.name} holds no tensors by name; {_REMEDY}")
    return content
