"""Encoded prompts and their cache."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """The text encoders' output for one prompt.

    Attributes:
        embeddings: (1, tokens, width), the hidden states of all chunks.
        pooled: (1, width), the pooled output for the first chunk; SDXL only.
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None

    @property
    def tokens(self) -> int:
        """The number of tokens, padding included."""
        return self.embeddings.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory of the tensors in bytes."""
        return self.embeddings.nbytes + (0 if self.pooled is None else self.pooled.nbytes)

    def zeros(self) -> "EncodedPrompt":
        """Zeros of the same shape."""
        pooled = None if self.pooled is None else torch.zeros_like(self.pooled)
        return EncodedPrompt(torch.zeros_like(self.embeddings), pooled)

    def padded(self, padding: "EncodedPrompt", tokens: int) -> "EncodedPrompt":
        """Pads the embeddings with copies of another prompt's.

        Args:
            padding: an encoded empty prompt.
            tokens: the length to pad to; the difference is a multiple of the padding's tokens.
        """
        copies = (tokens - self.tokens) // padding.tokens
        if not copies:
            return self
        return EncodedPrompt(torch.cat([self.embeddings, *[padding.embeddings] * copies], dim=1), self.pooled)


class PromptCache:
    """A least-recently-used cache of encoded prompts, limited in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._cached: OrderedDict[Hashable, EncodedPrompt] = OrderedDict()

    def get(self, key: Hashable) -> EncodedPrompt | None:
        """The cached prompt of this key; None if there is none."""
        encoded = self._cached.get(key)
        if encoded is not None:
            self._cached.move_to_end(key)
        return encoded

    def put(self, key: Hashable, encoded: EncodedPrompt) -> None:
        """Caches a prompt, and evicts the least recently used ones above the limit."""
        replaced = self._cached.pop(key, None)
        self._bytes -= replaced.nbytes if replaced else 0
        self._cached[key] = encoded
        self._bytes += encoded.nbytes
        while self._bytes > self._max_bytes:
            _, oldest = self._cached.popitem(last=False)
            self._bytes -= oldest.nbytes
