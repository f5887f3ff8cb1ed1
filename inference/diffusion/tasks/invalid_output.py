"""The error of an image that is black or not finite, with its probable causes in the request."""

from collections.abc import Iterator

from contract.generation import Generation
from contract.problem import FieldError
from contract.prompts.emphasis import parse_prompt
from inference.engine.errors import InvalidOutputError

_RESULT = "The generated image is black or not finite"


def invalid_output(generation: Generation) -> InvalidOutputError:
    """The error of a generation, which names what in its request can make an image invalid.

    Adapters and weights act on every seed; only without them are other settings worth a try.
    """
    suspects = tuple(_suspects(generation))
    if not suspects:
        return InvalidOutputError(f"{_RESULT}; try another seed, sampler or guidance scale.")
    named = ", ".join(each.pointer for each in suspects)
    return InvalidOutputError(
        f"{_RESULT}, which can be due to {named}: lower the weights, or leave them out one after the other.",
        errors=suspects,
    )


def _suspects(generation: Generation) -> Iterator[FieldError]:
    for field, texts in (
        ("prompt", {text for stage in generation.prompt_stages for text in stage.texts.prompts}),
        ("negative_prompt", {stage.texts.negative for stage in generation.prompt_stages}),
    ):
        joined = generation.prompt_weights if field == "prompt" else ()
        if any(weight != 1 for weight in joined) or any(map(_is_weighted, texts)):
            yield FieldError(pointer=f"#/{field}", detail="has weights; bring them closer to 1")
    for index, lora in enumerate(generation.active_loras):
        detail = f"applies the LoRA {lora.name!r} with weight {lora.weight:g}; lower it or omit the LoRA"
        yield FieldError(pointer=generation.lora_pointer(index), detail=detail)
    for index, name in enumerate(generation.embeddings):
        yield FieldError(pointer=f"#/embeddings/{index}", detail=f"{name!r} may be damaged; omit it")
    for index, controlnet in enumerate(generation.controlnets):
        detail = f"applies {controlnet.type!r} with weight {controlnet.weight:g}; lower it or omit it"
        yield FieldError(pointer=f"#/controlnets/{index}", detail=detail)
    if generation.vae is not None:
        yield FieldError(pointer="#/vae", detail=f"{generation.vae!r} may not match the model; omit it")


def _is_weighted(text: str) -> bool:
    return any(part.weight != 1 for segment in parse_prompt(text) for part in segment)
