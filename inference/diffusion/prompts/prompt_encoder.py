"""Encoding of a generation's prompts with a pipeline's text encoders."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from contract.generation import InvalidRequestError
from contract.problem import FieldError
from contract.prompts.emphasis import PromptSegment, parse_prompt
from contract.prompts.prompt import PromptTexts
from inference.diffusion.prompts.chunks import Chunk, split_into_chunks
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt, PromptCache
from inference.diffusion.prompts.text_encoder import TextEncoder
from inference.diffusion.prompts.textual_inversion import TextualInversions, load_textual_inversions
from inference.diffusion.prompts.textual_inversion_file import CLIP, CLIP_G, CLIP_L
from inference.diffusion.prompts.tokenization import PromptTokenizer
from inference.engine.interface import AdapterFile

MAX_CHUNKS = 64
"""Chunks of a prompt at most, all its texts together; the engine thread runs no other task meanwhile."""
CACHE_BYTES = 64 * 2**20
PROMPT, NEGATIVE_PROMPT = "prompt", "negative_prompt"

_Text = tuple[str, str]
"""The request's field, and the text."""


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
        stages: Sequence[PromptTexts],
        *,
        clip_skip: int,
        classifier_free_guidance: bool,
        embeddings: tuple[AdapterFile, ...] = (),
        variant: Hashable = None,
    ) -> list[tuple[EncodedPrompt, ...]]:
        """For each stage the negative prompt, with classifier-free guidance, and the prompts.

        Those of a stage are padded to the same length.

        Args:
            stages: texts without LoRAs, AND and editing.
            clip_skip: see `TextEncoder.encode`.
            classifier_free_guidance: whether to encode the negative prompt.
            embeddings: the files of the generation's textual inversions.
            variant: part of the cache key; differs where the text encoders' weights do, as with LoRAs.

        Raises:
            InvalidRequestError: a prompt is too long or its weights are too large, or `clip_skip` exceeds the
                encoders' layers.
            AdapterUnusableError: a textual inversion is damaged, or was made for another model.
        """
        self._check_clip_skip(clip_skip)
        options = _EncodeOptions(clip_skip, embeddings, variant)
        texts = {(PROMPT, text): None for each in stages for text in each.prompts}
        if classifier_free_guidance:
            texts |= {
                (NEGATIVE_PROMPT, each.negative): None
                for each in stages
                if each.negative or not self._zeros_for_empty_prompt
            }
        encoded = self._encode_all(list(texts), options)
        return [self._stage(each, encoded, options, classifier_free_guidance) for each in stages]

    def _stage(
        self,
        texts: PromptTexts,
        encoded: Mapping[_Text, EncodedPrompt],
        options: "_EncodeOptions",
        classifier_free_guidance: bool,
    ) -> tuple[EncodedPrompt, ...]:
        rows = [encoded[PROMPT, text] for text in texts.prompts]
        if classifier_free_guidance and (NEGATIVE_PROMPT, texts.negative) in encoded:
            rows.insert(0, encoded[NEGATIVE_PROMPT, texts.negative])
        tokens = max(row.tokens for row in rows)
        if any(row.tokens < tokens for row in rows):
            without_embeddings = _EncodeOptions(options.clip_skip, (), options.variant)
            (padding,) = self._encode_all([(PROMPT, "")], without_embeddings).values()
            rows = [row.padded(padding, tokens) for row in rows]
        if classifier_free_guidance and len(rows) == len(texts.prompts):
            rows.insert(0, rows[0].zeros())
        return tuple(rows)

    @property
    def _zeros_for_empty_prompt(self) -> bool:
        """Whether an empty negative prompt is encoded as zeros: a setting of SDXL pipelines."""
        return bool(self._pipeline.config.get("force_zeros_for_empty_prompt"))

    def _check_clip_skip(self, clip_skip: int) -> None:
        limit = min(encoder.max_clip_skip for encoder in self._encoders)
        if clip_skip > limit:
            detail = f"must be at most {limit} for this model, not {clip_skip}"
            raise InvalidRequestError((FieldError(pointer="#/clip_skip", detail=detail),))

    def _encode_all(self, texts: list[_Text], options: "_EncodeOptions") -> dict[_Text, EncodedPrompt]:
        """The encoded texts, from the cache where possible."""
        encoded = {
            each: hit for each in texts if (hit := self._cache.get(options.cache_key(each[1]))) is not None
        }
        if len(encoded) == len(texts):
            return encoded
        inversions = load_textual_inversions(
            options.embeddings, self._encoders, max_vectors=self._max_length - 2
        )
        chunks = {each: self._all_chunks(each[1], inversions) for each in texts if each not in encoded}
        for field in (PROMPT, NEGATIVE_PROMPT):
            count = sum(len(rows[0]) for (of, _), rows in chunks.items() if of == field)
            count += sum(each.tokens // self._max_length for (of, _), each in encoded.items() if of == field)
            self._check_length(field, count)
        for each, rows in chunks.items():
            encoded[each] = self._encode(each[0], rows, options.clip_skip)
            self._cache.put(options.cache_key(each[1]), encoded[each])
        return encoded

    def _check_length(self, field: str, count: int) -> None:
        if count > MAX_CHUNKS:
            detail = (
                f"takes {count} chunks of {self._max_length - 2} tokens, at most {MAX_CHUNKS} are allowed"
            )
            raise InvalidRequestError((FieldError(pointer=f"#/{field}", detail=f"{detail}; shorten it"),))

    def _encode(self, field: str, chunks_by_encoder: list[list[Chunk]], clip_skip: int) -> EncodedPrompt:
        states, pooled = [], None
        for encoder, chunks in zip(self._encoders, chunks_by_encoder, strict=True):
            encoded = [
                encoder.encode(chunk, length=self._max_length, clip_skip=clip_skip) for chunk in chunks
            ]
            states.append(torch.cat([chunk_states for chunk_states, _ in encoded], dim=1))
            pooled = encoded[0][1]
        embeddings = torch.cat(states, dim=-1).to(self._pipeline.unet.device, self._encoders[-1].dtype)
        is_weighted = any(token.weight != 1 for chunk in chunks_by_encoder[0] for token in chunk)
        if is_weighted and not embeddings.isfinite().all():
            detail = "has weights that leave the range of the model's numbers; bring them closer to 1"
            raise InvalidRequestError((FieldError(pointer=f"#/{field}", detail=detail),))
        return EncodedPrompt(embeddings, pooled)

    def _all_chunks(self, text: str, inversions: list[TextualInversions]) -> list[list[Chunk]]:
        """The chunks for each text encoder, of which each has the same number."""
        segments = parse_prompt(text)
        by_encoder = [
            self._chunks(segments, encoder, of_encoder)
            for encoder, of_encoder in zip(self._encoders, inversions, strict=True)
        ]
        count = max(map(len, by_encoder))
        return [chunks + [()] * (count - len(chunks)) for chunks in by_encoder]

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
