"""The library that knows the models which upscale pictures, imported when it is needed."""

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# spandrel's modules of these two import torchvision, which is not installed: it must be of torch's own build,
# is large, and would serve nothing else. One model repaints, the other restores faces; neither enlarges.
# They are replaced rather than torchvision, which transformers and diffusers must never find.
_NEED_TORCHVISION = ("LaMa", "RestoreFormer")


class _Unknown:
    """Stands in for an architecture, and recognises no model as one of its own."""

    def __init__(self, name: str) -> None:
        self.id = self.name = name

    def detect(self, _state_dict: dict[str, Any]) -> bool:
        return False


@cache
def load_spandrel() -> ModuleType:
    """The library, with all architectures that can be imported here."""
    if find_spec("torchvision") is not None:
        return importlib.import_module("spandrel")
    stand_ins = {f"spandrel.architectures.{name}": _module(name) for name in _NEED_TORCHVISION}
    sys.modules.update(stand_ins)
    try:
        return importlib.import_module("spandrel")
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, f"{name}Arch", lambda: _Unknown(name))
    return module
