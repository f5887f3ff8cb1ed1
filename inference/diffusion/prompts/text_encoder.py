"""A text encoder: encodes one chunk of tokens to hidden states."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from inference.diffusion.modules.device_copy import copy_to_device
from inference.diffusion.prompts.chunks import Chunk

END_OF_WORD = "</w>"
"""The suffix of tokens that end a word, in the vocabulary of CLIP's tokenizers."""


class TextEncoder:
    """A CLIP text encoder and its tokenizer.

    Attributes:
        name: CLIP, CLIP_L or CLIP_G, as in `inference.diffusion.prompts.textual_inversion_file`.
        tokenizer: the tokenizer.
        max_length: tokens of the input at most, with the one at the beginning and the one at the end.
        comma_id: the token of a comma; None if the vocabulary has none.
        width: of the input embeddings.
        max_clip_skip: the largest `clip_skip`.
    """

    def __init__(self, name: str, tokenizer: Any, model: Any, *, penultimate: bool) -> None:
        """Wraps a tokenizer and a text encoder.

        Args:
            name: see the attribute.
            tokenizer: a `CLIPTokenizer`.
            model: a `CLIPTextModel`, with or without projection.
            penultimate: use the hidden states before the last layer, not normalised, as SDXL does.
        """
        self.name = name
        self.tokenizer = tokenizer
        self.max_length = min(tokenizer.model_max_length, model.config.max_position_embeddings)
        self.comma_id: int | None = tokenizer.get_vocab().get("," + END_OF_WORD)
        self.width = model.config.hidden_size
        self.max_clip_skip = model.config.num_hidden_layers - penultimate
        self._model = model
        self._penultimate = penultimate

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the hidden states."""
        dtype: torch.dtype = self._model.dtype
        return dtype

    def encode(
        self, chunk: Chunk, *, length: int, clip_skip: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The weighted hidden states, (1, length, width), and the pooled output, (1, width).

        The pooled output is None if the encoder has no projection.

        Args:
            chunk: at most `length` - 2 tokens.
            length: of the input, padding included.
            clip_skip: 1 takes the last layer that is used, 2 the one before it.
        """
        padding = length - 2 - len(chunk)
        first, last = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        ids = [first, *(token.id for token in chunk), last, *[self.tokenizer.pad_token_id] * padding]
        weights = [1.0, *(token.weight for token in chunk), *[1.0] * (padding + 1)]
        with self._replaced_embeddings(chunk):
            output = self._model(
                self._tensor(ids), attention_mask=self._mask(length, padding), output_hidden_states=True
            )
        states = output.hidden_states[-clip_skip - self._penultimate]
        if not self._penultimate:
            states = self._model.base_model.final_layer_norm(states)
        return _apply_weights(states, self._tensor(weights)[..., None]), getattr(output, "text_embeds", None)

    def _tensor(self, values: list[Any]) -> torch.Tensor:
        return copy_to_device(torch.tensor([values]), self._model.device)

    def _mask(self, length: int, padding: int) -> torch.Tensor | None:
        """The attention mask, if the encoder masks its padding; diffusers ignores this setting for SDXL."""
        if self._penultimate or not getattr(self._model.config, "use_attention_mask", False):
            return None
        return self._tensor([1] * (length - padding) + [0] * padding)

    @contextmanager
    def _replaced_embeddings(self, chunk: Chunk) -> Iterator[None]:
        """Within the block, `WeightedToken.embedding` replaces the model's input embedding."""

        def replace(_layer: Any, _arguments: Any, embeddings: torch.Tensor) -> torch.Tensor:
            replaced = embeddings.clone()
            for position, token in enumerate(chunk, start=1):
                if token.embedding is not None:
                    replaced[0, position] = token.embedding.to(embeddings)
            return replaced

        hook = self._model.get_input_embeddings().register_forward_hook(replace)
        try:
            yield
        finally:
            hook.remove()


def _apply_weights(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The states times the weights, rescaled to their original mean, as in the web UI.

    If all weights are 1, the states do not change by a bit.
    """
    weighted = states.float() * weights
    mean = weighted.mean()
    restored = weighted * torch.where(mean == 0, 1, states.float().mean() / mean)
    return restored.to(states.dtype)
