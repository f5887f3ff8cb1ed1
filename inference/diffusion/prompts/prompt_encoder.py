"""From a generation's prompts to what the UNet is told of them."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import torch

from contract.generation import Generation, InvalidRequestError
from contract.problem import FieldError
from inference.diffusion.prompts.chunks import Chunk, split
from inference.diffusion.prompts.emphasis import Section, read
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt, PromptCache
from inference.diffusion.prompts.text_encoder import TextEncoder
from inference.diffusion.prompts.textual_inversion import Inversions, read_inversions
from inference.diffusion.prompts.textual_inversion_file import CLIP, CLIP_G, CLIP_L
from inference.diffusion.prompts.tokenization import Vocabulary
from inference.engine.interface import AdapterFile

MAX_CHUNKS = 64
"""Of a prompt: what is longer would hold up everybody else's images."""
CACHE_BYTES = 64 * 2**20


class PromptEncoder:
    """The text encoders of a Stable Diffusion, 1, 2 or XL.

    A prompt without emphasis that fits into one chunk is encoded as diffusers' pipelines do it, to the byte.
    """

    def __init__(self, pipeline: Any, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Takes the pipeline whose encoders it uses, and the memory for prompts that it keeps."""
        self._pipeline = pipeline
        self._encoders = _encoders(pipeline)
        self._length = min(encoder.length for encoder in self._encoders)
        self._cache = PromptCache(cache_bytes)

    def encode(
        self,
        generation: Generation,
        *,
        classifier_free_guidance: bool,
        embeddings: tuple[AdapterFile, ...] = (),
        variant: Hashable = None,
    ) -> tuple[EncodedPrompt, ...]:
        """The negative prompt, if there is guidance, and then the prompt, of as many tokens.

        Args:
            generation: whose prompts, layers and names of textual inversions.
            classifier_free_guidance: whether the negative prompt is asked for.
            embeddings: the files of the generation's textual inversions.
            variant: differs where the encoders' weights do, as with LoRAs.

        Raises:
            InvalidRequestError: a prompt is too long, or the encoders have fewer layers.
            AdapterUnusableError: a textual inversion is damaged, or does not fit the encoders.
        """
        self._check(generation.clip_skip)
        zeros = not generation.negative_prompt and self._zeros_for_nothing
        fields = ("negative_prompt", "prompt") if classifier_free_guidance and not zeros else ("prompt",)
        texts = [(field, getattr(generation, field)) for field in fields]
        rows = self._rows(texts, _Manner(generation.clip_skip, embeddings, variant))
        if classifier_free_guidance and zeros:
            return rows[0].zeros(), rows[0]
        tokens = max(row.tokens for row in rows)
        if all(row.tokens == tokens for row in rows):
            return tuple(rows)
        (padding,) = self._rows([("prompt", "")], _Manner(generation.clip_skip, (), variant))
        return tuple(row.padded(padding, tokens) for row in rows)

    @property
    def _zeros_for_nothing(self) -> bool:
        """Whether no negative prompt is zeros rather than the empty text: an SDXL's own setting."""
        return bool(self._pipeline.config.get("force_zeros_for_empty_prompt"))

    def _check(self, clip_skip: int) -> None:
        layers = min(encoder.layers for encoder in self._encoders)
        if clip_skip > layers:
            detail = f"must be at most {layers} for this model, not {clip_skip}"
            raise InvalidRequestError((FieldError(pointer="#/clip_skip", detail=detail),))

    def _rows(self, texts: list[tuple[str, str]], manner: "_Manner") -> list[EncodedPrompt]:
        """The texts encoded, where they are not kept from before.

        Args:
            texts: each behind the field that it is from.
            manner: how.
        """
        kept = [self._cache.get(manner.key(text)) for _, text in texts]
        if all(kept):
            return [row for row in kept if row]
        inversions = read_inversions(manner.embeddings, self._encoders, room=self._length - 2)
        rows = []
        for (field, text), row in zip(texts, kept, strict=True):
            encoded = row or self._encode(field, text, inversions, manner.clip_skip)
            self._cache.keep(manner.key(text), encoded)
            rows.append(encoded)
        return rows

    def _encode(self, field: str, text: str, inversions: list[Inversions], clip_skip: int) -> EncodedPrompt:
        sections = read(text)
        split_up = [
            self._chunks(sections, encoder, names)
            for encoder, names in zip(self._encoders, inversions, strict=True)
        ]
        count = max(len(chunks) for chunks in split_up)
        if count > MAX_CHUNKS:
            detail = f"takes {count} chunks of {self._length - 2} tokens; at most {MAX_CHUNKS} are possible"
            raise InvalidRequestError((FieldError(pointer=f"#/{field}", detail=detail),))
        states, pooled = [], None
        for encoder, chunks in zip(self._encoders, split_up, strict=True):
            chunks += [()] * (count - len(chunks))
            encoded = [encoder.encode(chunk, length=self._length, clip_skip=clip_skip) for chunk in chunks]
            states.append(torch.cat([chunk_states for chunk_states, _ in encoded], dim=1))
            pooled = encoded[0][1]
        embeddings = torch.cat(states, dim=-1)
        return EncodedPrompt(embeddings.to(self._pipeline.unet.device, self._encoders[-1].dtype), pooled)

    def _chunks(
        self, sections: tuple[Section, ...], encoder: TextEncoder, inversions: Inversions
    ) -> list[Chunk]:
        vocabulary = Vocabulary(encoder.tokenizer, inversions)
        return split(map(vocabulary.runs, sections), room=self._length - 2, comma=encoder.comma)


@dataclass(frozen=True)
class _Manner:
    """All that decides, beside a text, how it is encoded; see `PromptEncoder.encode`."""

    clip_skip: int
    embeddings: tuple[AdapterFile, ...]
    variant: Hashable

    def key(self, text: str) -> Hashable:
        versions = tuple((file.name, file.version) for file in self.embeddings)
        return text, self.clip_skip, versions, self.variant


def _encoders(pipeline: Any) -> tuple[TextEncoder, ...]:
    if not hasattr(pipeline, "text_encoder_2"):
        return (TextEncoder(CLIP, pipeline.tokenizer, pipeline.text_encoder, penultimate=False),)
    parts = (
        (CLIP_L, pipeline.tokenizer, pipeline.text_encoder),
        (CLIP_G, pipeline.tokenizer_2, pipeline.text_encoder_2),
    )
    return tuple(
        TextEncoder(name, tokenizer, model, penultimate=True)
        for name, tokenizer, model in parts
        if model is not None  # a refiner has the second alone
    )
