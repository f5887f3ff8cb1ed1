"""One text encoder: from a chunk's tokens to its hidden states."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from inference.diffusion.prompts.chunks import Chunk

END_OF_WORD = "</w>"
"""What a token ends with that ends a word, in the vocabulary of CLIP's tokenizers."""


class TextEncoder:
    """A CLIP text encoder and its tokenizer.

    Attributes:
        name: whose textual inversions fit it, see `embedding_file`.
        tokenizer: the tokenizer.
        length: tokens that it reads at once, the one at the beginning and the one at the end included.
        comma: the token of a comma, if there is one.
        width: of the vectors that it reads.
        layers: the most layers that a prompt can be taken from, counted from the end.
    """

    def __init__(self, name: str, tokenizer: Any, model: Any, *, penultimate: bool) -> None:
        """Takes what it consists of.

        Args:
            name: see there.
            tokenizer: a `CLIPTokenizer`.
            model: a `CLIPTextModel`, with or without projection.
            penultimate: leave the last layer and the normalisation behind it out, as SDXL was trained.
        """
        self.name = name
        self.tokenizer = tokenizer
        self.length = min(tokenizer.model_max_length, model.config.max_position_embeddings)
        self.comma: int | None = tokenizer.get_vocab().get("," + END_OF_WORD)
        self.width = model.config.hidden_size
        self.layers = model.config.num_hidden_layers - penultimate
        self._model = model
        self._penultimate = penultimate

    @property
    def dtype(self) -> torch.dtype:
        """Of the hidden states."""
        dtype: torch.dtype = self._model.dtype
        return dtype

    def encode(
        self, chunk: Chunk, *, length: int, clip_skip: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """A chunk's weighted hidden states, (1, length, width), and if the encoder projects, its pooled one.

        Args:
            chunk: at most `length` - 2 places.
            length: tokens, padding included.
            clip_skip: 1 takes the last layer, or the last that counts, 2 the one before.
        """
        padding = length - 2 - len(chunk)
        first, last = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        tokens = [first, *(place.token for place in chunk), last, *[self.tokenizer.pad_token_id] * padding]
        weights = [1.0, *(place.weight for place in chunk), *[1.0] * (padding + 1)]
        with self._vectors_of(chunk):
            output = self._model(
                self._row(tokens), attention_mask=self._mask(length, padding), output_hidden_states=True
            )
        states = output.hidden_states[-clip_skip - self._penultimate]
        if not self._penultimate:
            states = self._model.base_model.final_layer_norm(states)
        return _weigh(states, self._row(weights)[..., None]), getattr(output, "text_embeds", None)

    def _row(self, values: list[Any]) -> torch.Tensor:
        return torch.tensor([values], device=self._model.device)

    def _mask(self, length: int, padding: int) -> torch.Tensor | None:
        """What the encoder may look at, if it does not look at padding; diffusers has no such SDXL."""
        if self._penultimate or not getattr(self._model.config, "use_attention_mask", False):
            return None
        return self._row([1] * (length - padding) + [0] * padding)

    @contextmanager
    def _vectors_of(self, chunk: Chunk) -> Iterator[None]:
        """Within the block, vectors of the chunk stand for the embeddings of their tokens."""

        def substitute(_layer: Any, _arguments: Any, embeddings: torch.Tensor) -> torch.Tensor:
            substituted = embeddings.clone()
            for position, place in enumerate(chunk, start=1):
                if place.vector is not None:
                    substituted[0, position] = place.vector.to(embeddings)
            return substituted

        hook = self._model.get_input_embeddings().register_forward_hook(substitute)
        try:
            yield
        finally:
            hook.remove()


def _weigh(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The states multiplied by the weights, at their old mean, as the web UI does it.

    Where all weights are 1 not a bit changes.
    """
    weighted = states.float() * weights
    mean = weighted.mean()
    restored = weighted * torch.where(mean == 0, 1, states.float().mean() / mean)
    return restored.to(states.dtype)
