"""The kinds of adapters: what requests may name beside the model, and how it lies in the models bucket."""

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
"""The ending of what lies there as a directory."""


@dataclass(frozen=True)
class AdapterKind:
    """Adapters of one sort.

    Attributes:
        name: what one is called.
        prefix: where they lie in the models bucket.
        endings: what follows their names there, the preferred first.
    """

    name: str
    prefix: str
    endings: tuple[str, ...]


LORA = AdapterKind("LoRA", LORAS_PREFIX, (".safetensors",))
EMBEDDING = AdapterKind("embedding", EMBEDDINGS_PREFIX, (".safetensors", ".pt"))
CONTROLNET = AdapterKind("ControlNet", CONTROLNETS_PREFIX, (DIRECTORY,))
VAE = AdapterKind("VAE", VAES_PREFIX, (DIRECTORY, ".safetensors"))
UPSCALER = AdapterKind("upscaler", UPSCALERS_PREFIX, (".safetensors", ".pth"))
SAFETY_CHECKER = AdapterKind("safety checker", SAFETY_CHECKERS_PREFIX, (DIRECTORY,))
"""Named by the configuration, not by requests."""

ADAPTER_KINDS = (LORA, EMBEDDING, CONTROLNET, VAE, UPSCALER, SAFETY_CHECKER)
