"""AUTOMATIC1111's text of generation parameters, which most tools around Stable Diffusion read."""

import json
from collections.abc import Iterator, Mapping

from contract.generation import Generation
from contract.keys import LANCZOS
from contract.options import ControlNet
from contract.samplers import find_sampler
from contract.size import Size, to_grid

_SHA256_DIGITS = 64
_MODEL_HASH_DIGITS = 10


def infotext(generation: Generation, *, size: Size, revision: str | None, versions: Mapping[str, str]) -> str:
    """The prompt, the negative prompt and a line of parameters.

    The LoRAs stand behind the prompt, as that interface writes them. The model's hash is there if `revision`
    is the SHA-256 of a file.

    Args:
        generation: of one image.
        size: width and height of the finished picture.
        revision: the weights: a commit of the hub, or a file's SHA-256; None if nobody knows.
        versions: of the libraries that drew it.
    """
    loras = [f"<lora:{lora.name}:{lora.weight:g}>" for lora in generation.loras]
    lines = [" ".join([generation.prompt, *loras])]
    if generation.negative_prompt:
        lines.append(f"Negative prompt: {generation.negative_prompt}")
    parameters = {
        **_drawing(generation, size),
        **_model(generation, revision),
        **_passes(generation),
        **dict(_controls(generation.controlnets)),
        "Version": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in parameters.items()))
    return "\n".join(lines)


def _drawing(generation: Generation, size: Size) -> dict[str, str]:
    width, height = _drawn_size(generation, size)
    return {
        "Steps": str(generation.steps),
        "Sampler": find_sampler(generation.sampler).label,
        "CFG scale": f"{generation.guidance_scale:g}",
        "Seed": str(generation.seed),
        "Size": f"{width}x{height}",
    }


def _model(generation: Generation, revision: str | None) -> dict[str, str]:
    parameters = {"Model": generation.model}
    if revision is not None and len(revision) == _SHA256_DIGITS:
        parameters = {"Model hash": revision[:_MODEL_HASH_DIGITS]} | parameters
    if generation.vae is not None:
        parameters["VAE"] = generation.vae
    if generation.clip_skip > 1:
        parameters["Clip skip"] = str(generation.clip_skip)
    if generation.refiner_start is not None:
        parameters["Refiner switch at"] = f"{generation.refiner_start:g}"
    return parameters


def _passes(generation: Generation) -> dict[str, str]:
    parameters = {}
    hires, upscale = generation.hires, generation.upscale
    strength = generation.strength if hires is None else hires.strength
    if strength is not None:
        parameters["Denoising strength"] = f"{strength:g}"
    if generation.mask_blur is not None:
        parameters["Mask blur"] = str(generation.mask_blur)
    if hires is not None:
        parameters["Hires upscale"] = f"{hires.scale:g}"
        parameters["Hires steps"] = str(hires.steps or generation.steps)
        parameters["Hires upscaler"] = _upscaler(hires.upscaler)
    if upscale is not None:
        parameters["Postprocess upscale by"] = f"{upscale.scale:g}"
        parameters["Postprocess upscaler"] = _upscaler(upscale.upscaler)
    return parameters


def _controls(controlnets: tuple[ControlNet, ...]) -> Iterator[tuple[str, str]]:
    for index, controlnet in enumerate(controlnets):
        parameters = {
            "Module": controlnet.type if controlnet.preprocess else "none",
            "Model": controlnet.type,
            "Weight": f"{controlnet.weight:g}",
            "Guidance Start": f"{controlnet.start:g}",
            "Guidance End": f"{controlnet.end:g}",
        }
        yield f"ControlNet {index}", ", ".join(f"{name}: {value}" for name, value in parameters.items())


def _upscaler(name: str) -> str:
    return "Lanczos" if name == LANCZOS else name


def _drawn_size(generation: Generation, size: Size) -> Size:
    """The size before any enlargement: what the request says, else what the picture was before it."""
    scale = generation.upscale.scale if generation.upscale else 1.0
    width, height = (to_grid(side / scale) for side in size)
    return generation.width or width, generation.height or height


def _quoted(value: str) -> str:
    """As AUTOMATIC1111 does it: a JSON string where commas, colons or line breaks would mislead."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",:\n") else value
