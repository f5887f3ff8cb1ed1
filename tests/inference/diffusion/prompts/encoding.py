"""Encoding of the prompts of a request."""

from typing import Any

from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile
from tests.inference.generations import generation_of


def encode_with(
    encoder: PromptEncoder,
    *,
    classifier_free_guidance: bool = True,
    embeddings: tuple[AdapterFile, ...] = (),
    variant: Any = None,
    **request: Any,
) -> tuple[EncodedPrompt, ...]:
    """The negative prompt and the prompts of the request's first stage."""
    generation = generation_of(**request)
    return encoder.encode(
        [stage.texts for stage in generation.prompt_stages],
        clip_skip=generation.clip_skip,
        classifier_free_guidance=classifier_free_guidance,
        embeddings=embeddings,
        variant=variant,
    )[0]
