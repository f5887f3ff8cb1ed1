"""The fields of a generation as the arguments of a diffusers pipeline."""

from collections.abc import Iterator
from inspect import signature
from typing import Any

import torch
from transformers import CLIPTokenizer

from contract.generation import Generation
from contract.problem import FieldError
from contract.prompts.prompt import parse_negative, parse_positive
from contract.request import ALL_STEPS
from contract.samplers import find_sampler

_UNSUPPORTED_FIELDS = (
    "input_image",
    "mask_image",
    "outpaint",
    "hires",
    "loras",
    "embeddings",
    "controlnets",
    "vae",
    "refiner_start",
)
_NO_PARAMETER = "this model's pipeline does not have it; leave it out"
_OWN_SCHEDULE = "this model's pipeline has a noise schedule of its own; leave it out"


class PipelineFields:
    """The fields that a pipeline takes, by the parameters of its call."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._parameters = signature(pipeline.__call__).parameters

    def errors(self, generation: Generation, *, chosen: frozenset[str]) -> Iterator[FieldError]:
        """The fields that the pipeline would ignore; of the sampling fields, those that were chosen."""
        for name in _UNSUPPORTED_FIELDS:
            if getattr(generation, name):
                detail = "this model generates from a prompt alone; leave it out"
                yield FieldError(pointer=f"#/{name}", detail=detail)
        if generation.clip_skip > 1:
            yield FieldError(pointer="#/clip_skip", detail=_NO_PARAMETER)
        if generation.negative_prompt and not self._takes_negative_prompt:
            yield FieldError(pointer="#/negative_prompt", detail=_NO_PARAMETER)
        if "guidance_scale" in chosen and self._guidance_parameter is None:
            yield FieldError(pointer="#/guidance_scale", detail=_NO_PARAMETER)
        if generation.guidance_rescale and "guidance_rescale" not in self._parameters:
            yield FieldError(pointer="#/guidance_rescale", detail=_NO_PARAMETER)
        if generation.guidance_interval != ALL_STEPS:
            yield FieldError(pointer="#/guidance_interval", detail=_NO_PARAMETER)
        if generation.timestep_spacing is not None:
            yield FieldError(pointer="#/timestep_spacing", detail=_OWN_SCHEDULE)
        if "sampler" in chosen and not self._is_own_sampler(generation.sampler):
            yield FieldError(pointer="#/sampler", detail=_OWN_SCHEDULE)
        yield from self._prompt_errors(generation)

    def _prompt_errors(self, generation: Generation) -> Iterator[FieldError]:
        prompts = {
            "prompt": parse_positive(generation.prompt),
            "negative_prompt": parse_negative(generation.negative_prompt),
        }
        for name, parsed in prompts.items():
            tokens, limit = self._excess(getattr(generation, name))
            if parsed.syntax is not None:
                detail = f"contains {parsed.syntax}, which this model does not support; leave it out"
                yield FieldError(pointer=f"#/{name}", detail=detail)
            elif tokens > limit:
                detail = f"has {tokens} tokens, of which this model reads {limit}; shorten it"
                yield FieldError(pointer=f"#/{name}", detail=detail)

    def _excess(self, prompt: str) -> tuple[int, int]:
        """The number of tokens and their limit, of the tokenizer that reads most of the prompt."""
        readings = []
        for name, tokenizer in self._pipeline.components.items():
            if name.startswith("tokenizer") and tokenizer is not None:
                limit = tokenizer.model_max_length
                longest = self._parameters.get("max_sequence_length")
                if longest is not None and not isinstance(tokenizer, CLIPTokenizer):
                    limit = longest.default
                readings.append((len(tokenizer(prompt, verbose=False).input_ids), limit))
        return min(readings, key=lambda reading: reading[0] - reading[1], default=(0, 0))

    @property
    def _guidance_parameter(self) -> str | None:
        """The parameter for the scale of classifier-free guidance.

        Distilled models take the scale as an input of the transformer, as `guidance_scale`.
        """
        is_distilled = "guidance_scale" in self._parameters and _has_guidance_input(self._pipeline)
        names = ("guidance_scale",) if is_distilled else ("true_cfg_scale", "guidance_scale")
        return next((name for name in names if name in self._parameters), None)

    @property
    def _takes_negative_prompt(self) -> bool:
        without_effect = "true_cfg_scale" in self._parameters and self._guidance_parameter == "guidance_scale"
        return "negative_prompt" in self._parameters and not without_effect

    def _is_own_sampler(self, sampler: str) -> bool:
        """Whether it is the sampler of the pipeline's scheduler, without further options."""
        found = find_sampler(sampler)
        return found.scheduler == type(self._pipeline.scheduler).__name__ and found.schedule_type is None

    def unused(self, generation: Generation) -> frozenset[str]:
        """The names of the fields that the pipeline does not use."""
        unused = {"clip_skip", "guidance_interval", "timestep_spacing"}
        if not self._is_own_sampler(generation.sampler):
            unused.add("sampler")
        if self._guidance_parameter is None:
            unused.add("guidance_scale")
        if not self._takes_negative_prompt:
            unused.add("negative_prompt")
        if "guidance_rescale" not in self._parameters:
            unused.add("guidance_rescale")
        return frozenset(unused)

    def arguments(self, generation: Generation) -> dict[str, Any]:
        """The arguments of the pipeline, some of which it may not have."""
        arguments = {
            "prompt": generation.prompt,
            "width": generation.width,
            "height": generation.height,
            "num_inference_steps": generation.steps,
            "guidance_rescale": generation.guidance_rescale,
            "num_images_per_prompt": generation.count,
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in generation.seeds],
        }
        if self._guidance_parameter is not None:
            arguments[self._guidance_parameter] = generation.guidance_scale
        if self._takes_negative_prompt:
            arguments["negative_prompt"] = generation.negative_prompt
        return arguments


def _has_guidance_input(pipeline: Any) -> bool:
    config = getattr(getattr(pipeline, "transformer", None), "config", {})
    return bool(config.get("guidance_embeds"))
