"""Encoding of a generation's prompts with a pipeline's text encoders."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import torch

from contract.generation import Generation, InvalidRequestError
from contract.problem import FieldError
from inference.diffusion.prompts.chunks import Chunk, split_into_chunks
from inference.diffusion.prompts.emphasis import PromptSegment, parse_prompt
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt, PromptCache
from inference.diffusion.prompts.text_encoder import TextEncoder
from inference.diffusion.prompts.textual_inversion import TextualInversions, load_textual_inversions
from inference.diffusion.prompts.textual_inversion_file import CLIP, CLIP_G, CLIP_L
from inference.diffusion.prompts.tokenization import PromptTokenizer
from inference.engine.interface import AdapterFile

MAX_CHUNKS = 64
"""Chunks of a prompt at most; the engine thread runs no other task while it encodes them."""
CACHE_BYTES = 64 * 2**20


class PromptEncoder:
    """The text encoders of Stable Diffusion 1.x, 2.x or XL.

    A prompt without emphasis that fits into one chunk is encoded bit for bit as by diffusers' pipelines.
    """

    def __init__(self, pipeline: Any, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Takes the pipeline, and the size of the cache of encoded prompts in bytes."""
        self._pipeline = pipeline
        self._encoders = _encoders(pipeline)
        self._max_length = min(encoder.max_length for encoder in self._encoders)
        self._cache = PromptCache(cache_bytes)

    def encode(
        self,
        generation: Generation,
        *,
        classifier_free_guidance: bool,
        embeddings: tuple[AdapterFile, ...] = (),
        variant: Hashable = None,
    ) -> tuple[EncodedPrompt, ...]:
        """The negative prompt, with classifier-free guidance, and the prompt, padded to the same length.

        Args:
            generation: has the prompts and `clip_skip`.
            classifier_free_guidance: whether to encode the negative prompt.
            embeddings: the files of the generation's textual inversions.
            variant: part of the cache key; differs where the text encoders' weights do, as with LoRAs.

        Raises:
            InvalidRequestError: a prompt is too long, or `clip_skip` exceeds the encoders' layers.
            AdapterUnusableError: a textual inversion is damaged, or was made for another model.
        """
        self._check_clip_skip(generation.clip_skip)
        options = _EncodeOptions(generation.clip_skip, embeddings, variant)
        if not classifier_free_guidance:
            return tuple(self._encode_all([("prompt", generation.prompt)], options))
        if not generation.negative_prompt and self._zeros_for_empty_prompt:
            (prompt,) = self._encode_all([("prompt", generation.prompt)], options)
            return prompt.zeros(), prompt
        texts = [("negative_prompt", generation.negative_prompt), ("prompt", generation.prompt)]
        negative, prompt = self._encode_all(texts, options)
        if negative.tokens == prompt.tokens:
            return negative, prompt
        (padding,) = self._encode_all([("prompt", "")], _EncodeOptions(generation.clip_skip, (), variant))
        tokens = max(negative.tokens, prompt.tokens)
        return negative.padded(padding, tokens), prompt.padded(padding, tokens)

    @property
    def _zeros_for_empty_prompt(self) -> bool:
        """Whether an empty negative prompt is encoded as zeros: a setting of SDXL pipelines."""
        return bool(self._pipeline.config.get("force_zeros_for_empty_prompt"))

    def _check_clip_skip(self, clip_skip: int) -> None:
        limit = min(encoder.max_clip_skip for encoder in self._encoders)
        if clip_skip > limit:
            detail = f"must be at most {limit} for this model, not {clip_skip}"
            raise InvalidRequestError((FieldError(pointer="#/clip_skip", detail=detail),))

    def _encode_all(self, texts: list[tuple[str, str]], options: "_EncodeOptions") -> list[EncodedPrompt]:
        """The encoded texts, from the cache where possible.

        Args:
            texts: the request's field, and the text.
            options: for all the texts.
        """
        cached = [self._cache.get(options.cache_key(text)) for _, text in texts]
        if all(cached):
            return [each for each in cached if each]
        inversions = load_textual_inversions(
            options.embeddings, self._encoders, max_vectors=self._max_length - 2
        )
        encoded_texts = []
        for (field, text), hit in zip(texts, cached, strict=True):
            encoded = hit or self._encode(field, text, inversions, options.clip_skip)
            self._cache.put(options.cache_key(text), encoded)
            encoded_texts.append(encoded)
        return encoded_texts

    def _encode(
        self, field: str, text: str, inversions: list[TextualInversions], clip_skip: int
    ) -> EncodedPrompt:
        segments = parse_prompt(text)
        chunks_by_encoder = [
            self._chunks(segments, encoder, of_encoder)
            for encoder, of_encoder in zip(self._encoders, inversions, strict=True)
        ]
        count = max(len(chunks) for chunks in chunks_by_encoder)
        if count > MAX_CHUNKS:
            detail = (
                f"takes {count} chunks of {self._max_length - 2} tokens, at most {MAX_CHUNKS} are allowed"
            )
            raise InvalidRequestError((FieldError(pointer=f"#/{field}", detail=f"{detail}; shorten it"),))
        states, pooled = [], None
        for encoder, chunks in zip(self._encoders, chunks_by_encoder, strict=True):
            chunks += [()] * (count - len(chunks))
            encoded = [
                encoder.encode(chunk, length=self._max_length, clip_skip=clip_skip) for chunk in chunks
            ]
            states.append(torch.cat([chunk_states for chunk_states, _ in encoded], dim=1))
            pooled = encoded[0][1]
        embeddings = torch.cat(states, dim=-1)
        return EncodedPrompt(embeddings.to(self._pipeline.unet.device, self._encoders[-1].dtype), pooled)

    def _chunks(
        self, segments: tuple[PromptSegment, ...], encoder: TextEncoder, inversions: TextualInversions
    ) -> list[Chunk]:
        tokenizer = PromptTokenizer(encoder.tokenizer, inversions)
        return split_into_chunks(
            map(tokenizer.tokenize, segments), chunk_length=self._max_length - 2, comma_id=encoder.comma_id
        )


@dataclass(frozen=True)
class _EncodeOptions:
    """The settings that a text is encoded with; see `PromptEncoder.encode`."""

    clip_skip: int
    embeddings: tuple[AdapterFile, ...]
    variant: Hashable

    def cache_key(self, text: str) -> Hashable:
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
        if model is not None  # a refiner has only the second
    )
