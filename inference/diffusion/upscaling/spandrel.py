"""Import of spandrel, the library of super-resolution architectures, without torchvision."""

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# spandrel's modules of these two architectures import torchvision, which is not installed: it is large, must
# match torch's build, and nothing else needs it. Neither architecture upscales: one inpaints, the other
# restores faces. Only these modules are replaced: transformers and diffusers would find a fake torchvision.
_NEED_TORCHVISION = ("LaMa", "RestoreFormer")


class _UnavailableArchitecture:
    """Stands in for a spandrel architecture, and matches no model."""

    def __init__(self, name: str) -> None:
        self.id = self.name = name

    def detect(self, _state_dict: dict[str, Any]) -> bool:
        return False


@cache
def load_spandrel() -> ModuleType:
    """The spandrel module, with every architecture that can be imported."""
    if find_spec("torchvision") is not None:
        return importlib.import_module("spandrel")
    stand_ins = {f"spandrel.architectures.{name}": _stand_in(name) for name in _NEED_TORCHVISION}
    sys.modules.update(stand_ins)
    try:
        return importlib.import_module("spandrel")
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, f"{name}Arch", lambda: _UnavailableArchitecture(name))
    return module
