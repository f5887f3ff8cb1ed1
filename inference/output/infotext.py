"""AUTOMATIC1111's parameters text ("infotext"), which most Stable Diffusion tools can read."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from contract.generation import Generation
from contract.keys import LANCZOS
from contract.options import ControlNet
from contract.prompts.lora_tags import tag_of
from contract.request import ALL_STEPS, MAX_CONTROLNETS, control_image_pointer
from contract.samplers import find_sampler
from contract.size import Size, to_grid

_SHA256_DIGITS = 64
_MODEL_HASH_DIGITS = 10


_NAMES = {"sampler": "Sampler", "guidance_scale": "CFG scale"}
"""The parameters of fields that every generation has, and not every model uses."""


def infotext(
    generation: Generation,
    *,
    size: Size,
    revision: str | None,
    versions: Mapping[str, str],
    input_digests: Mapping[str, str],
    unused: AbstractSet[str] = frozenset(),
) -> str:
    """The prompt, the negative prompt and a line of parameters.

    LoRAs of the field `loras` are appended to the prompt, in AUTOMATIC1111's syntax; those whose names cannot
    be written so are left out. The model hash is only included if `revision` is the SHA-256 of a file.

    Args:
        generation: a request for one image.
        size: of the finished image.
        revision: the model's revision: a Hugging Face commit, or a file's SHA-256; None if unknown.
        versions: of the libraries.
        input_digests: hashes of input images, by the pointers of `input_image_uris`; may be empty.
        unused: names of the generation's fields that the model does not use.
    """
    tags = [tag for lora in generation.loras if (tag := tag_of(lora))]
    lines = [" ".join([generation.prompt, *tags])]
    if generation.negative_prompt:
        lines.append(f"Negative prompt: {generation.negative_prompt}")
    parameters = {
        **_sampling(generation, size),
        **_model(generation, revision),
        **_passes(generation),
        **dict(_controlnets(generation.controlnets)),
        **dict(_input_hashes(input_digests)),
        "Version": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    omitted = {_NAMES[field] for field in unused if field in _NAMES}
    lines.append(
        ", ".join(f"{name}: {_quoted(value)}" for name, value in parameters.items() if name not in omitted)
    )
    return "\n".join(lines)


def _sampling(generation: Generation, size: Size) -> dict[str, str]:
    width, height = _size_before_upscaling(generation, size)
    parameters = {
        "Steps": str(generation.steps),
        "Sampler": find_sampler(generation.sampler).label,
        "CFG scale": _number(generation.guidance_scale),
        "Seed": str(generation.seed),
        "Size": f"{width}x{height}",
    }
    if generation.guidance_rescale:
        parameters["CFG Rescale"] = _number(generation.guidance_rescale)
    if generation.guidance_interval != ALL_STEPS:
        start, end = generation.guidance_interval
        parameters |= {"CFG interval start": _number(start), "CFG interval end": _number(end)}
    if generation.timestep_spacing is not None:
        parameters["Timestep spacing"] = generation.timestep_spacing
    return parameters


def _model(generation: Generation, revision: str | None) -> dict[str, str]:
    parameters = {"Model": generation.model}
    if revision is not None and len(revision) == _SHA256_DIGITS:
        parameters = {"Model hash": revision[:_MODEL_HASH_DIGITS]} | parameters
    if generation.vae is not None:
        parameters["VAE"] = generation.vae
    if generation.clip_skip > 1:
        parameters["Clip skip"] = str(generation.clip_skip)
    if generation.refiner_start is not None:
        parameters["Refiner switch at"] = _number(generation.refiner_start)
    return parameters


def _passes(generation: Generation) -> dict[str, str]:
    parameters = {}
    hires, upscale = generation.hires, generation.upscale
    strength = generation.strength if hires is None else hires.strength
    if strength is not None:
        parameters["Denoising strength"] = _number(strength)
    if generation.mask_blur is not None:
        parameters["Mask blur"] = str(generation.mask_blur)
    if generation.mask_invert:
        parameters["Mask mode"] = "Inpaint not masked"
    if generation.mask_padding is not None:
        parameters["Inpaint area"] = "Only masked"
        parameters["Masked area padding"] = str(generation.mask_padding)
    if hires is not None:
        parameters["Hires upscale"] = _number(hires.scale)
        parameters["Hires steps"] = str(hires.steps or generation.steps)
        parameters["Hires upscaler"] = _upscaler(hires.upscaler)
    if upscale is not None:
        parameters["Postprocess upscale by"] = _number(upscale.scale)
        parameters["Postprocess upscaler"] = _upscaler(upscale.upscaler)
    return parameters


def _controlnets(controlnets: tuple[ControlNet, ...]) -> Iterator[tuple[str, str]]:
    for index, controlnet in enumerate(controlnets):
        parameters = {
            "Module": controlnet.type if controlnet.preprocess else "none",
            "Model": controlnet.type,
            "Weight": _number(controlnet.weight),
            "Guidance Start": _number(controlnet.start),
            "Guidance End": _number(controlnet.end),
        }
        yield f"ControlNet {index}", ", ".join(f"{name}: {value}" for name, value in parameters.items())


def _input_hashes(digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The names do not begin with "ControlNet", which web UI extensions parse in their own way."""
    names = {"#/input_image": "Init image hash", "#/mask_image": "Mask image hash"}
    names |= {control_image_pointer(index): f"Control image {index} hash" for index in range(MAX_CONTROLNETS)}
    for pointer, digest in digests.items():
        yield names[pointer], digest


def _number(value: float) -> str:
    """The shortest text that parses to the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _upscaler(name: str) -> str:
    return "Lanczos" if name == LANCZOS else name


def _size_before_upscaling(generation: Generation, size: Size) -> Size:
    """The request's size; for image-to-image, the finished image's size divided by the upscaling factor."""
    scale = generation.upscale.scale if generation.upscale else 1.0
    width, height = (to_grid(side / scale) for side in size)
    return generation.width or width, generation.height or height


def _quoted(value: str) -> str:
    """Quotes values with commas, colons or line breaks as JSON strings, like AUTOMATIC1111."""
    return json.dumps(value, ensure_ascii=False) if any(character in value for character in ",:\n") else value
