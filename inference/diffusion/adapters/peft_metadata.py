"""What peft notes of an adapter beside its weights."""

import json
from collections.abc import Mapping

from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from pydantic import BaseModel, Field

from inference.diffusion.adapters.adapter_files import AdapterFileError


class LoraNotes(BaseModel):
    """The notes on one component, as far as they decide how strongly the adapter acts."""

    lora_alpha: float = Field(allow_inf_nan=False)
    alpha_pattern: dict[str, float] = {}
    use_rslora: bool = False

    def alpha(self, layer: str, rank: int) -> float:
        """The layer's alpha. Patterns are taken for ends of layers' names, as which they are written."""
        named = (
            alpha
            for pattern, alpha in self.alpha_pattern.items()
            if f".{layer}".endswith(f".{pattern.removeprefix('^')}")
        )
        alpha = next(named, self.lora_alpha)
        return alpha * rank**0.5 if self.use_rslora else alpha


def read_notes(notes: Mapping[str, str]) -> dict[str, LoraNotes]:
    """What is noted, by component.

    Args:
        notes: of a safetensors file.

    Raises:
        AdapterFileError: they cannot be understood.
    """
    if LORA_ADAPTER_METADATA_KEY not in notes:
        return {}
    try:
        by_component: dict[str, dict[str, object]] = {}
        for key, value in json.loads(notes[LORA_ADAPTER_METADATA_KEY]).items():
            component, _, name = key.partition(".")
            by_component.setdefault(component, {})[name] = value
        return {component: LoraNotes.model_validate(noted) for component, noted in by_component.items()}
    except (AttributeError, ValueError) as error:
        raise AdapterFileError("has notes of its training that cannot be read; upload it again") from error
