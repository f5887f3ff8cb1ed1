"""The kinds of adapters, and where each kind is stored in the models bucket."""

from dataclasses import dataclass

from contract.keys import (
    CONTROLNETS_PREFIX,
    EMBEDDINGS_PREFIX,
    LORAS_PREFIX,
    SAFETY_CHECKERS_PREFIX,
    UPSCALERS_PREFIX,
    VAES_PREFIX,
)

DIRECTORY = "/"
"""The suffix of adapters that are stored as a directory."""


@dataclass(frozen=True)
class AdapterKind:
    """A kind of adapter.

    Attributes:
        name: the kind's name in messages.
        prefix: the key prefix in the models bucket.
        suffixes: the accepted suffixes of file names, the preferred one first.
    """

    name: str
    prefix: str
    suffixes: tuple[str, ...]


_WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
"""Suffixes of files with the weights of a network; all but the first are PyTorch pickles."""

LORA = AdapterKind("LoRA", LORAS_PREFIX, (".safetensors",))
EMBEDDING = AdapterKind("embedding", EMBEDDINGS_PREFIX, (".safetensors", ".pt", ".bin"))
CONTROLNET = AdapterKind("ControlNet", CONTROLNETS_PREFIX, (DIRECTORY, *_WEIGHTS))
VAE = AdapterKind("VAE", VAES_PREFIX, (DIRECTORY, *_WEIGHTS))
UPSCALER = AdapterKind("upscaler", UPSCALERS_PREFIX, _WEIGHTS)
SAFETY_CHECKER = AdapterKind("safety checker", SAFETY_CHECKERS_PREFIX, (DIRECTORY,))
"""Selected by the deployment's configuration, not by requests."""

ADAPTER_KINDS = (LORA, EMBEDDING, CONTROLNET, VAE, UPSCALER, SAFETY_CHECKER)
