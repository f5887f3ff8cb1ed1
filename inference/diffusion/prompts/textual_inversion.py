"""The textual inversions of one generation."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import torch

from contract.adapters import EMBEDDING, LORA
from inference.diffusion.adapters.adapter_files import WRONG_FAMILY, AdapterFileError, adapter_errors
from inference.diffusion.adapters.bundled_embeddings import BundledEmbeddings
from inference.diffusion.prompts.text_encoder import TextEncoder
from inference.diffusion.prompts.textual_inversion_file import Vectors, read_textual_inversions, vectors_of
from inference.engine.interface import AdapterFile

TextualInversions = Mapping[str, torch.Tensor]
"""Name in the prompt to the vectors that replace it, (vectors, width), for one text encoder."""


def load_textual_inversions(
    files: Sequence[AdapterFile], encoders: Sequence[TextEncoder], *, max_vectors: int
) -> list[TextualInversions]:
    """The textual inversions for each of the text encoders.

    Args:
        files: in the order of the generation's embeddings, and after them the LoRAs that have some.
        encoders: the model's.
        max_vectors: of one textual inversion.

    Raises:
        AdapterUnusableError: a file is damaged, or was made for another model.
    """
    by_encoder: list[dict[str, torch.Tensor]] = [{} for _ in encoders]
    for index, file in enumerate(files):
        with _errors(file, index):
            for name, vectors in _read(file).items():
                for encoder, inversions in zip(encoders, by_encoder, strict=True):
                    inversions[name or file.name] = _select(vectors, encoder, max_vectors)
    return list(by_encoder)


def _errors(file: AdapterFile, index: int) -> AbstractContextManager[None]:
    if isinstance(file, BundledEmbeddings):
        return adapter_errors(file, LORA, file.pointer)
    return adapter_errors(file, EMBEDDING, f"#/embeddings/{index}")


def _read(file: AdapterFile) -> Mapping[str | None, Vectors]:
    if not isinstance(file, BundledEmbeddings):
        return read_textual_inversions(file.path)
    found: dict[str | None, Vectors] = {}
    for name, tensors in file.content.items():
        vectors = vectors_of(tensors)
        if vectors is None:
            raise AdapterFileError(f"has several textual inversions called {name[:100]}; save it again")
        found[name] = vectors
    return found


def _select(vectors: Mapping[str, torch.Tensor], encoder: TextEncoder, max_vectors: int) -> torch.Tensor:
    """The vectors for one text encoder.

    Raises:
        AdapterFileError: there are none, there are too many, or their width is not the encoder's.
    """
    if encoder.name not in vectors:
        raise AdapterFileError(f"{WRONG_FAMILY}; use one made for this model")
    count, width = vectors[encoder.name].shape
    if width != encoder.width:
        raise AdapterFileError(
            f"has vectors of width {width}, but this model's text encoder has width {encoder.width}; "
            "use one made for this model"
        )
    if count > max_vectors:
        raise AdapterFileError(f"has {count} vectors, at most {max_vectors} are supported; use a smaller one")
    return vectors[encoder.name]
