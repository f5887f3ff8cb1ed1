"""The metadata that peft writes into a LoRA file beside the weights."""

import json
from collections.abc import Mapping

from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from pydantic import BaseModel, Field

from inference.diffusion.adapters.adapter_files import AdapterFileError


class PeftMetadata(BaseModel):
    """The settings of one component that determine the scaling of its layers; see `peft.LoraConfig`."""

    lora_alpha: float = Field(allow_inf_nan=False)
    alpha_pattern: dict[str, float] = {}
    use_rslora: bool = False

    def alpha(self, layer: str, rank: int) -> float:
        """The alpha of a layer; patterns match the ends of layer names, as in diffusers' files."""
        matching = (
            alpha
            for pattern, alpha in self.alpha_pattern.items()
            if f".{layer}".endswith(f".{pattern.removeprefix('^')}")
        )
        alpha = next(matching, self.lora_alpha)
        return alpha * rank**0.5 if self.use_rslora else alpha


def read_peft_metadata(metadata: Mapping[str, str]) -> dict[str, PeftMetadata]:
    """Peft's metadata by component; empty if the file has none.

    Args:
        metadata: of a safetensors file.

    Raises:
        AdapterFileError: it is invalid.
    """
    if LORA_ADAPTER_METADATA_KEY not in metadata:
        return {}
    try:
        by_component: dict[str, dict[str, object]] = {}
        for key, value in json.loads(metadata[LORA_ADAPTER_METADATA_KEY]).items():
            component, _, name = key.partition(".")
            by_component.setdefault(component, {})[name] = value
        return {
            component: PeftMetadata.model_validate(settings) for component, settings in by_component.items()
        }
    except (AttributeError, ValueError) as error:
        raise AdapterFileError(
            f"has invalid peft metadata ({LORA_ADAPTER_METADATA_KEY}); save and upload it again"
        ) from error
