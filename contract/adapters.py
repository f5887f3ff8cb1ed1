"""The kinds of adapters, and where each kind is stored in the models bucket."""

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from contract.adapter_name import normalize_adapter_name
from contract.keys import (
    CONTROLNETS_PREFIX,
    EMBEDDINGS_PREFIX,
    LANCZOS,
    LORAS_PREFIX,
    SAFETY_CHECKERS_PREFIX,
    UPSCALERS_PREFIX,
    VAES_PREFIX,
)

DIRECTORY = "/"
"""The suffix of adapters that are stored as a directory."""


class AdapterPlace(NamedTuple):
    """The adapter that an object belongs to.

    Attributes:
        name: the adapter's name in requests.
        rank: among the places of this name; requests find the lowest one.
    """

    name: str
    rank: tuple[int, int]


@dataclass(frozen=True)
class AdapterKind:
    """A kind of adapter.

    Attributes:
        name: the kind's name in messages.
        prefix: the key prefix in the models bucket.
        suffixes: the accepted suffixes of file names, the preferred one first.
        reserved: names that do not mean a file.
    """

    name: str
    prefix: str
    suffixes: tuple[str, ...]
    reserved: tuple[str, ...] = ()

    @property
    def has_directories(self) -> bool:
        """Whether adapters may be stored as a directory."""
        return DIRECTORY in self.suffixes

    def place_of(self, key: str) -> AdapterPlace | None:
        """The adapter that the object with this key belongs to; None if no request can name it.

        Args:
            key: of an object below the prefix, or the prefix of its directory.
        """
        file_name, slash, _ = key.removeprefix(self.prefix).partition(DIRECTORY)
        first = f"{file_name}{slash}"
        for preference, suffix in enumerate(self.suffixes):
            if first.endswith(suffix):
                return self._place(first.removesuffix(suffix), preference)
        return None

    def _place(self, stem: str, preference: int) -> AdapterPlace | None:
        try:
            name = normalize_adapter_name(stem)
        except ValueError:
            return None
        forms = (name, unicodedata.normalize("NFD", name))
        if not name or name in self.reserved or stem not in forms:
            return None
        return AdapterPlace(name, (forms.index(stem), preference))


_WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
"""Suffixes of files with the weights of a network; all but the first are PyTorch pickles."""

LORA = AdapterKind("LoRA", LORAS_PREFIX, (".safetensors",))
EMBEDDING = AdapterKind("embedding", EMBEDDINGS_PREFIX, (".safetensors", ".pt", ".bin"))
CONTROLNET = AdapterKind("ControlNet", CONTROLNETS_PREFIX, (DIRECTORY, *_WEIGHTS))
VAE = AdapterKind("VAE", VAES_PREFIX, (DIRECTORY, *_WEIGHTS))
UPSCALER = AdapterKind("upscaler", UPSCALERS_PREFIX, _WEIGHTS, reserved=(LANCZOS,))
SAFETY_CHECKER = AdapterKind("safety checker", SAFETY_CHECKERS_PREFIX, (DIRECTORY,))
"""Selected by the deployment's configuration, not by requests."""

ADAPTER_KINDS = (LORA, EMBEDDING, CONTROLNET, VAE, UPSCALER, SAFETY_CHECKER)
