"""Single-file checkpoints (LDM layout); tensor names are converted by diffusers' own functions."""

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
from inference.models.absent_vae import absent_vae, missing_part_of_vae
from inference.models.architecture import (
    VAE,
    Config,
    clip_config,
    open_clip_config,
    pipeline_class,
    scheduler_config,
    unet_config,
    vae_config,
    vae_settings,
)
from inference.models.checkpoint import load_checkpoint
from inference.models.components import Component, PipelineComponents
from inference.models.errors import UnusableModelError
from inference.models.family import (
    CLIP,
    OPEN_CLIP,
    REFINER_OPEN_CLIP,
    UNET,
    XL_CLIP,
    XL_OPEN_CLIP,
    ModelType,
    model_type_of_single_file,
)
from inference.models.formats import SingleFile
from inference.models.safetensors_file import Header, Shapes, read_header
from inference.models.tokenizer import VOCABULARY_SIZE, clip_tokenizer
from inference.models.weights import StateDict, cast, read_safetensors

_Read = Callable[[tuple[str, ...], torch.device, torch.dtype], StateDict]
"""Reads the tensors whose names have one of the prefixes, onto a device and in a dtype."""

_SD2_SKIPPED_LAYERS = 1
"""Stable Diffusion 2 uses the penultimate layer of its text encoder."""


def single_file_components(file: SingleFile) -> tuple[ModelType, PipelineComponents]:
    """The type and the components of the model in a single file.

    Raises:
        UnusableModelError: the file is unsafe, damaged, or not a complete Stable Diffusion 1, 2 or XL.
    """
    if file.is_pickle:
        content = load_checkpoint(file.path)
        tensors = {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}
        header = Header({name: tuple(tensor.shape) for name, tensor in tensors.items()}, {})
        global_step = content.get("global_step")
        read: _Read = partial(_select, tensors)
    else:
        header, global_step = read_header(file.path), None
        read = partial(_read_safetensors, file.path)
    model_type = model_type_of_single_file(header, global_step, deviation_of=partial(_deviation, read))
    class_name = pipeline_class(model_type)
    if class_name is None:
        raise UnusableModelError(
            f"{file.path.name} is not a complete Stable Diffusion 1, 2 or XL checkpoint (LDM layout); use a "
            "checkpoint with all components, or a diffusers directory."
        )
    try:
        return model_type, _components(header.shapes, model_type, getattr(diffusers, class_name), read)
    except (KeyError, IndexError) as error:
        raise UnusableModelError(
            f"{file.path.name} lacks tensors of a model of the family {model_type.family}; download the "
            "model again."
        ) from error


def _deviation(read: _Read, name: str) -> float:
    return float(read((name,), torch.device("cpu"), torch.float32)[name].std(correction=0))


def _components(shapes: Shapes, model_type: ModelType, pipeline: type, read: _Read) -> PipelineComponents:
    encoders = _text_encoders(shapes, model_type.family, read)
    pooled = next((e.projection_dim for e in encoders if e.component.name == "text_encoder_2"), None)
    unet = unet_config(shapes, model_type, pooled)
    scheduler = scheduler_config(shapes, model_type)
    weighted = [
        Component("unet", partial(UNet2DConditionModel.from_config, unet), partial(_read_unet, read, unet)),
        _vae(shapes, model_type, read),
        *(encoder.component for encoder in encoders),
    ]
    others = {
        "scheduler": getattr(diffusers, scheduler["_class_name"]).from_config(scheduler),
        "requires_safety_checker": False,
        "force_zeros_for_empty_prompt": model_type.family is Family.SDXL,
        "requires_aesthetics_score": model_type.family is Family.SDXL_REFINER,
    }
    others |= {e.component.name.replace("text_encoder", "tokenizer"): e.tokenizer for e in encoders}
    return PipelineComponents(pipeline, tuple(weighted), others)


def _vae(shapes: Shapes, model_type: ModelType, read: _Read) -> Component:
    missing = missing_part_of_vae(shapes)
    if missing is not None:
        return absent_vae(vae_settings(model_type), missing)
    vae = vae_config(shapes, model_type)
    build = partial(AutoencoderKL.from_config, vae)
    return Component("vae", build, partial(_read_vae, read, vae), force_upcast=vae["force_upcast"])


@dataclass(frozen=True)
class _TextEncoder:
    component: Component
    tokenizer: CLIPTokenizer
    projection_dim: int


def _text_encoders(shapes: Shapes, family: Family, read: _Read) -> list[_TextEncoder]:
    match family:
        case Family.SD1:
            return [_clip(shapes, CLIP, read)]
        case Family.SD2:
            return [_open_clip(shapes, OPEN_CLIP, read, "text_encoder", skipped_layers=_SD2_SKIPPED_LAYERS)]
        case Family.SDXL:
            return [
                _clip(shapes, XL_CLIP, read),
                _open_clip(shapes, XL_OPEN_CLIP, read, "text_encoder_2"),
            ]
        case _:
            return [_open_clip(shapes, REFINER_OPEN_CLIP, read, "text_encoder_2")]


def _clip(shapes: Shapes, prefix: str, read: _Read) -> _TextEncoder:
    config = clip_config(shapes, prefix)

    def read_converted(device: torch.device, dtype: torch.dtype) -> StateDict:
        converted: StateDict = convert_ldm_clip_checkpoint(read((prefix,), device, dtype))
        return {f"text_model.{name.removeprefix('text_model.')}": value for name, value in converted.items()}

    build = partial(CLIPTextModel, CLIPTextConfig(**config))
    return _text_encoder(Component("text_encoder", build, read_converted), config, open_clip=False)


def _open_clip(
    shapes: Shapes, prefix: str, read: _Read, name: str, *, skipped_layers: int = 0
) -> _TextEncoder:
    config = open_clip_config(shapes, prefix, skipped_layers=skipped_layers)
    kind = CLIPTextModelWithProjection if name == "text_encoder_2" else CLIPTextModel
    build = partial(kind, CLIPTextConfig(**config))

    def read_converted(device: torch.device, dtype: torch.dtype) -> StateDict:
        with torch.device("meta"):
            encoder = build()
        converted: StateDict = convert_open_clip_checkpoint(
            encoder, read((prefix,), device, dtype), prefix=prefix
        )
        return converted

    return _text_encoder(Component(name, build, read_converted), config, open_clip=True)


def _text_encoder(component: Component, config: Config, *, open_clip: bool) -> _TextEncoder:
    if config["vocab_size"] != VOCABULARY_SIZE:
        raise UnusableModelError(
            f"{component.name} has a vocabulary of {config['vocab_size']:,} tokens; only CLIP's, of "
            f"{VOCABULARY_SIZE:,}, is supported in a single file; use the model's diffusers directory."
        )
    return _TextEncoder(component, clip_tokenizer(open_clip=open_clip), config["projection_dim"])


def _read_unet(read: _Read, config: Config, device: torch.device, dtype: torch.dtype) -> StateDict:
    converted: StateDict = convert_ldm_unet_checkpoint(read((UNET,), device, dtype), config)
    return converted


def _read_vae(read: _Read, config: Config, device: torch.device, dtype: torch.dtype) -> StateDict:
    converted: StateDict = convert_ldm_vae_checkpoint(read((VAE,), device, dtype), config)
    return converted


def _read_safetensors(
    path: Path, prefixes: tuple[str, ...], device: torch.device, dtype: torch.dtype
) -> StateDict:
    return read_safetensors(path, device, dtype, prefixes=prefixes)


def _select(
    tensors: Mapping[str, torch.Tensor], prefixes: tuple[str, ...], device: torch.device, dtype: torch.dtype
) -> StateDict:
    return {
        name: cast(tensor.to(device), dtype) for name, tensor in tensors.items() if name.startswith(prefixes)
    }
