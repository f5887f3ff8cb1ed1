"""A prompt in chunks of as many tokens as a text encoder reads at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

BACKTRACK = 20
"""The last tokens of a full chunk, among which a comma is sought to split behind; the web UI's default."""


@dataclass(frozen=True, eq=False)
class Place:
    """One token's place.

    Attributes:
        token: its id.
        weight: what its hidden state is multiplied by.
        vector: (width,), what stands for the token's embedding; None leaves it.
    """

    token: int
    weight: float = 1.0
    vector: torch.Tensor | None = None


Run = tuple[Place, ...]
"""Places that stay together: one token, or the vectors of a textual inversion."""
Chunk = tuple[Place, ...]


def split(sections: Iterable[Sequence[Run]], *, room: int, comma: int | None) -> list[Chunk]:
    """The sections in chunks; there is at least one, and the last is empty only if it is the first.

    Args:
        sections: each begins a chunk; none of their runs is longer than `room`.
        room: places of a chunk.
        comma: the token of a comma.
    """
    chunks: list[Chunk] = []
    for section in sections:
        chunk: Chunk = ()
        for run in section:
            while len(chunk) + len(run) > room:
                end = _end(chunk, comma) if len(chunk) == room and run[0].token != comma else len(chunk)
                chunks.append(chunk[:end])
                chunk = chunk[end:]
            chunk += run
        chunks.append(chunk)
    return chunks if chunks[-1] or len(chunks) == 1 else chunks[:-1]


def _end(chunk: Chunk, comma: int | None) -> int:
    """Where to split a full chunk."""
    for index in range(len(chunk) - 1, max(len(chunk) - BACKTRACK, 0) - 1, -1):
        if chunk[index].token == comma:
            return index + 1
    return len(chunk)
