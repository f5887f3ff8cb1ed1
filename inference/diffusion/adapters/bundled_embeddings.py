"""Textual inversions in the file of a LoRA."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from inference.engine.interface import AdapterFile


@dataclass(frozen=True, eq=False)
class BundledEmbeddings(AdapterFile):
    """A LoRA file, of which only the textual inversions are meant.

    Attributes:
        pointer: JSON pointer to the field that names the LoRA.
        content: name in prompts to the tensors of text encoders, by their names in the file.
    """

    pointer: str
    content: Mapping[str, Mapping[str, torch.Tensor]]
