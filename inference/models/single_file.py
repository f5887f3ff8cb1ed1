"""Models in one file, as their makers name the tensors; diffusers' own converters give them its names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from contract.family import Family
from inference.models.architecture import (
    VAE,
    Config,
    clip_config,
    open_clip_config,
    pipeline_class,
    scheduler_config,
    unet_config,
    vae_config,
)
from inference.models.checkpoint import load_pickle
from inference.models.errors import UnusableModelError
from inference.models.family import (
    CLIP,
    OPEN_CLIP,
    REFINER_OPEN_CLIP,
    UNET,
    XL_CLIP,
    XL_OPEN_CLIP,
    Traits,
    traits_of_single_file,
)
from inference.models.formats import SingleFile
from inference.models.parts import Part, Parts
from inference.models.safetensors_file import Contents, Shapes, read_contents
from inference.models.tokenizer import VOCABULARY, clip_tokenizer
from inference.models.weights import Tensors, cast, read_safetensors

_Read = Callable[[tuple[str, ...], torch.device, torch.dtype], Tensors]
"""Gives the tensors whose names begin in one of these ways, on a device and in a precision."""

_UNUSED_BY_SD2 = 1
"""Stable Diffusion 2 stops before the last layer of its text encoder."""


def single_file_parts(file: SingleFile) -> tuple[Traits, Parts]:
    """What a single file holds, and its parts.

    Raises:
        UnusableModelError: it is dangerous, damaged, or no whole Stable Diffusion 1, 2 or XL.
    """
    if file.is_pickle:
        content = load_pickle(file.path)
        tensors = {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}
        contents, steps = (
            Contents({n: tuple(t.shape) for n, t in tensors.items()}, {}),
            content.get("global_step"),
        )
        read: _Read = partial(_pick, tensors)
    else:
        contents, steps = read_contents(file.path), None
        read = partial(_read_safetensors, file.path)
    traits = traits_of_single_file(contents, steps)
    class_name = pipeline_class(traits)
    if class_name is None:
        raise UnusableModelError(
            f"{file.path.name} is not a whole Stable Diffusion 1, 2 or XL in its makers' layout; give "
            "one that is, not a LoRA or a part of a model, or a diffusers directory."
        )
    try:
        return traits, _parts(contents.shapes, traits, getattr(diffusers, class_name), read)
    except (KeyError, IndexError) as error:
        raise UnusableModelError(
            f"{file.path.name} lacks tensors that a {traits.family} model has; fetch the model again."
        ) from error


def _parts(shapes: Shapes, traits: Traits, pipeline: type, read: _Read) -> Parts:
    encoders = _text_encoders(shapes, traits.family, read)
    pooled = next((e.projection_dim for e in encoders if e.part.name == "text_encoder_2"), None)
    unet, vae = unet_config(shapes, traits, pooled), vae_config(shapes, traits)
    schedule = scheduler_config(shapes, traits)
    heavy = [
        Part("unet", partial(UNet2DConditionModel.from_config, unet), partial(_unet, read, unet)),
        Part(
            "vae",
            partial(AutoencoderKL.from_config, vae),
            partial(_vae, read, vae),
            upcast=vae["force_upcast"],
        ),
        *(encoder.part for encoder in encoders),
    ]
    others = {
        "scheduler": getattr(diffusers, schedule["_class_name"]).from_config(schedule),
        "requires_safety_checker": False,
        "force_zeros_for_empty_prompt": traits.family is Family.SDXL,
        "requires_aesthetics_score": traits.family is Family.SDXL_REFINER,
    }
    others |= {e.part.name.replace("text_encoder", "tokenizer"): e.tokenizer for e in encoders}
    return Parts(pipeline, tuple(heavy), others)


@dataclass(frozen=True)
class _TextEncoder:
    part: Part
    tokenizer: CLIPTokenizer
    projection_dim: int


def _text_encoders(shapes: Shapes, family: Family, read: _Read) -> list[_TextEncoder]:
    match family:
        case Family.SD1:
            return [_clip(shapes, CLIP, read)]
        case Family.SD2:
            return [_open_clip(shapes, OPEN_CLIP, read, "text_encoder", layers_unused=_UNUSED_BY_SD2)]
        case Family.SDXL:
            return [
                _clip(shapes, XL_CLIP, read),
                _open_clip(shapes, XL_OPEN_CLIP, read, "text_encoder_2"),
            ]
        case _:
            return [_open_clip(shapes, REFINER_OPEN_CLIP, read, "text_encoder_2")]


def _clip(shapes: Shapes, prefix: str, read: _Read) -> _TextEncoder:
    config = clip_config(shapes, prefix)

    def tensors(device: torch.device, dtype: torch.dtype) -> Tensors:
        found: Tensors = convert_ldm_clip_checkpoint(read((prefix,), device, dtype))
        return {f"text_model.{name.removeprefix('text_model.')}": value for name, value in found.items()}

    build = partial(CLIPTextModel, CLIPTextConfig(**config))
    return _text_encoder(Part("text_encoder", build, tensors), config, open_clip=False)


def _open_clip(
    shapes: Shapes, prefix: str, read: _Read, name: str, *, layers_unused: int = 0
) -> _TextEncoder:
    config = open_clip_config(shapes, prefix, layers_unused=layers_unused)
    kind = CLIPTextModelWithProjection if name == "text_encoder_2" else CLIPTextModel
    build = partial(kind, CLIPTextConfig(**config))

    def tensors(device: torch.device, dtype: torch.dtype) -> Tensors:
        with torch.device("meta"):
            encoder = build()
        found: Tensors = convert_open_clip_checkpoint(encoder, read((prefix,), device, dtype), prefix=prefix)
        return found

    return _text_encoder(Part(name, build, tensors), config, open_clip=True)


def _text_encoder(part: Part, config: Config, *, open_clip: bool) -> _TextEncoder:
    if config["vocab_size"] != VOCABULARY:
        raise UnusableModelError(
            f"{part.name} knows {config['vocab_size']:,} tokens where CLIP has {VOCABULARY:,}; only models "
            "with its vocabulary are read from a single file."
        )
    return _TextEncoder(part, clip_tokenizer(open_clip=open_clip), config["projection_dim"])


def _unet(read: _Read, config: Config, device: torch.device, dtype: torch.dtype) -> Tensors:
    found: Tensors = convert_ldm_unet_checkpoint(read((UNET,), device, dtype), config)
    return found


def _vae(read: _Read, config: Config, device: torch.device, dtype: torch.dtype) -> Tensors:
    found: Tensors = convert_ldm_vae_checkpoint(read((VAE,), device, dtype), config)
    return found


def _read_safetensors(
    path: Path, prefixes: tuple[str, ...], device: torch.device, dtype: torch.dtype
) -> Tensors:
    return read_safetensors(path, device, dtype, prefixes=prefixes)


def _pick(
    tensors: Mapping[str, torch.Tensor], prefixes: tuple[str, ...], device: torch.device, dtype: torch.dtype
) -> Tensors:
    return {
        name: cast(tensor.to(device), dtype) for name, tensor in tensors.items() if name.startswith(prefixes)
    }
