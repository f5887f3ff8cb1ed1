"""The textual inversions of one generation."""

from collections.abc import Mapping, Sequence

import torch

from inference.contract.problem import ErrorCode, FieldError, ProblemError, describe
from inference.denoising.prompts.embedding_file import UnusableFileError, read_embedding
from inference.denoising.prompts.text_encoder import TextEncoder
from inference.engine import AdapterFile

Inversions = Mapping[str, torch.Tensor]
"""The vectors, (vectors, width), that stand for a name in a prompt."""


class UnusableEmbeddingError(ProblemError):
    """A textual inversion does not fit the model, or is damaged."""

    code = ErrorCode.ADAPTER_UNUSABLE

    def __init__(self, index: int, detail: str) -> None:
        """Takes which of the generation's embeddings it is, and what is wrong with it."""
        errors = (FieldError(pointer=f"#/embeddings/{index}", detail=detail),)
        super().__init__(describe(errors), errors=errors)


def read_inversions(
    files: Sequence[AdapterFile], encoders: Sequence[TextEncoder], *, room: int
) -> list[Inversions]:
    """What the files hold for each of the encoders.

    Args:
        files: in the order of the generation's embeddings.
        encoders: the model's.
        room: the most vectors that can stand for a name.

    Raises:
        UnusableEmbeddingError: a file is damaged, or does not fit the encoders.
    """
    inversions: list[dict[str, torch.Tensor]] = [{} for _ in encoders]
    for index, file in enumerate(files):
        try:
            vectors = read_embedding(file.path)
        except UnusableFileError as error:
            raise UnusableEmbeddingError(index, f"{file.name!r} {error.flaw}; replace or omit it") from error
        for encoder, inversion in zip(encoders, inversions, strict=True):
            misfit = _misfit(vectors.get(encoder.name), encoder, room)
            if misfit:
                raise UnusableEmbeddingError(index, f"{file.name!r} {misfit}; use one made for this model")
            inversion[file.name] = vectors[encoder.name]
    return list(inversions)


def _misfit(vectors: torch.Tensor | None, encoder: TextEncoder, room: int) -> str | None:
    if vectors is None:
        return "was made for another family of models"
    count, width = vectors.shape
    if width != encoder.width:
        return f"has vectors of {width} numbers where the model's have {encoder.width}"
    return f"has {count} vectors where at most {room} have room" if count > room else None
