"""Encoded prompts, and those that are kept."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """What text encoders make of a prompt.

    Attributes:
        embeddings: (1, tokens, width), of all its chunks.
        pooled: (1, width), of its first chunk as a whole; SDXL only.
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None

    @property
    def tokens(self) -> int:
        """How many tokens it has, padding included."""
        return self.embeddings.shape[1]

    @property
    def nbytes(self) -> int:
        """The memory that it takes, bytes."""
        return self.embeddings.nbytes + (0 if self.pooled is None else self.pooled.nbytes)

    def zeros(self) -> "EncodedPrompt":
        """As many tokens, of zeros."""
        pooled = None if self.pooled is None else torch.zeros_like(self.pooled)
        return EncodedPrompt(torch.zeros_like(self.embeddings), pooled)

    def padded(self, padding: "EncodedPrompt", tokens: int) -> "EncodedPrompt":
        """With copies of the padding's tokens, up to as many tokens; there is a whole number of copies."""
        copies = (tokens - self.tokens) // padding.tokens
        if not copies:
            return self
        return EncodedPrompt(torch.cat([self.embeddings, *[padding.embeddings] * copies], dim=1), self.pooled)


class PromptCache:
    """The encoded prompts that were used last."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, EncodedPrompt] = OrderedDict()

    def get(self, key: Hashable) -> EncodedPrompt | None:
        """What is kept under the key."""
        encoded = self._kept.get(key)
        if encoded is not None:
            self._kept.move_to_end(key)
        return encoded

    def keep(self, key: Hashable, encoded: EncodedPrompt) -> None:
        """Keeps a prompt, and lets go of those not used for longest."""
        replaced = self._kept.pop(key, None)
        self._bytes -= replaced.nbytes if replaced else 0
        self._kept[key] = encoded
        self._bytes += encoded.nbytes
        while self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
