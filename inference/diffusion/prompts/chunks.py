"""Splitting a prompt's tokens into chunks of a text encoder's input length."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

COMMA_BACKTRACK = 20
"""A full chunk ends after the last comma, if that is among this many last tokens; the web UI's default."""


@dataclass(frozen=True, eq=False)
class WeightedToken:
    """One token of a prompt.

    Attributes:
        id: in the tokenizer's vocabulary.
        weight: factor of the token's hidden state.
        embedding: (width,), replaces the text encoder's input embedding; None keeps it.
    """

    id: int
    weight: float = 1.0
    embedding: torch.Tensor | None = None


TokenGroup = tuple[WeightedToken, ...]
"""Tokens that are never split across chunks: a single one, or the vectors of a textual inversion."""
Chunk = tuple[WeightedToken, ...]


def split_into_chunks(
    segments: Iterable[Sequence[TokenGroup]], *, chunk_length: int, comma_id: int | None
) -> list[Chunk]:
    """The chunks of a prompt, at least one; the last is empty only if it is the only one.

    Args:
        segments: the parts between BREAKs, at least one; each begins a new chunk.
        chunk_length: tokens of a chunk at most, and of a token group.
        comma_id: the token of a comma; None if the vocabulary has none.
    """
    chunks: list[Chunk] = []
    for segment in segments:
        chunk: Chunk = ()
        for group in segment:
            while len(chunk) + len(group) > chunk_length:
                is_full = len(chunk) == chunk_length
                end = _end(chunk, comma_id) if is_full and group[0].id != comma_id else len(chunk)
                chunks.append(chunk[:end])
                chunk = chunk[end:]
            chunk += group
        chunks.append(chunk)
    return chunks if chunks[-1] or len(chunks) == 1 else chunks[:-1]


def _end(chunk: Chunk, comma_id: int | None) -> int:
    """The index at which a full chunk is split: after the last comma near its end, or at its end."""
    for index in range(len(chunk) - 1, max(len(chunk) - COMMA_BACKTRACK, 0) - 1, -1):
        if chunk[index].id == comma_id:
            return index + 1
    return len(chunk)
