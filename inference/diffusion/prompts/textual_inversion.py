"""The textual inversions of one generation."""

from collections.abc import Mapping, Sequence

import torch

from contract.adapters import EMBEDDING
from inference.diffusion.adapters.adapter_files import OTHER_FAMILY, AdapterFileError, adapter_errors
from inference.diffusion.prompts.text_encoder import TextEncoder
from inference.diffusion.prompts.textual_inversion_file import read_embedding
from inference.engine.interface import AdapterFile

Inversions = Mapping[str, torch.Tensor]
"""The vectors, (vectors, width), that stand for a name in a prompt."""


def read_inversions(
    files: Sequence[AdapterFile], encoders: Sequence[TextEncoder], *, room: int
) -> list[Inversions]:
    """What the files hold for each of the encoders.

    Args:
        files: in the order of the generation's embeddings.
        encoders: the model's.
        room: the most vectors that can stand for a name.

    Raises:
        AdapterUnusableError: a file is damaged, or does not fit the encoders.
    """
    inversions: list[dict[str, torch.Tensor]] = [{} for _ in encoders]
    for index, file in enumerate(files):
        with adapter_errors(file, EMBEDDING, f"#/embeddings/{index}"):
            vectors = read_embedding(file.path)
            for encoder, inversion in zip(encoders, inversions, strict=True):
                inversion[file.name] = _fitting(vectors, encoder, room)
    return list(inversions)


def _fitting(vectors: Mapping[str, torch.Tensor], encoder: TextEncoder, room: int) -> torch.Tensor:
    """The vectors for an encoder.

    Raises:
        AdapterFileError: there are none, or not of its width, or too many.
    """
    if encoder.name not in vectors:
        raise AdapterFileError(f"{OTHER_FAMILY}; use one made for this model")
    count, width = vectors[encoder.name].shape
    if width != encoder.width:
        raise AdapterFileError(
            f"has vectors of {width} numbers where the model's have {encoder.width}; use one made for this "
            "model"
        )
    if count > room:
        raise AdapterFileError(f"has {count} vectors where at most {room} have room; use one with fewer")
    return vectors[encoder.name]
