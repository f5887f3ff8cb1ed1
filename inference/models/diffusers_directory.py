"""Models in the diffusers layout: every part in a directory of its own."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.models.errors import UnusableModelError
from inference.models.family import is_named, read_json
from inference.models.formats import INDEX
from inference.models.parts import Part, Parts
from inference.models.weights import read_part

_PIPELINES = {
    "StableDiffusionPipeline",
    "StableDiffusionInpaintPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusionXLInpaintPipeline",
    "StableDiffusionXLImg2ImgPipeline",
}
_HEAVY: Mapping[str, tuple[type, ...]] = {
    "unet": (UNet2DConditionModel,),
    "vae": (AutoencoderKL,),
    "text_encoder": (CLIPTextModel,),
    "text_encoder_2": (CLIPTextModelWithProjection,),
}
_LIGHT = ("tokenizer", "tokenizer_2", "scheduler")
_UNWANTED = {"safety_checker", "feature_extractor", "image_encoder"}
"""Pictures are examined elsewhere, and no request brings one as a prompt."""


def directory_parts(directory: Path) -> Parts | None:
    """The parts of a Stable Diffusion; None where the directory holds a model of another kind.

    Raises:
        UnusableModelError: configuration files are missing or damaged.
    """
    index = read_json(directory / INDEX)
    named = {name for name in index if is_named(index, name)} - _UNWANTED
    if index.get("_class_name") not in _PIPELINES or not named <= {*_HEAVY, *_LIGHT}:
        return None
    if not all(index[name][1] in {known.__name__ for known in _HEAVY[name]} for name in named & set(_HEAVY)):
        return None
    is_large = is_named(index, "text_encoder_2")
    heavy = [
        _part(
            directory / name, getattr(transformers if "text" in name else diffusers, index[name][1]), is_large
        )
        for name in _HEAVY
        if name in named
    ]
    light = {name: _light(directory / name, *index[name]) for name in _LIGHT if name in named}
    settings = {name: value for name, value in index.items() if isinstance(value, bool)}
    return Parts(
        getattr(diffusers, index["_class_name"]),
        tuple(heavy),
        {**settings, **light, "requires_safety_checker": False},
    )


def _part(directory: Path, kind: Any, is_large: bool) -> Part:
    config = read_json(directory / "config.json")
    is_text_encoder = kind in (CLIPTextModel, CLIPTextModelWithProjection)
    return Part(
        directory.name,
        partial(kind, CLIPTextConfig.from_dict(config))
        if is_text_encoder
        else partial(kind.from_config, config),
        partial(read_part, directory),
        upcast=is_large and kind is AutoencoderKL and config.get("force_upcast", True),
    )


def _light(directory: Path, library: str, class_name: str) -> Any:
    """A tokenizer or a scheduler."""
    kind = getattr(diffusers if library == "diffusers" else transformers, class_name, None)
    if kind is None:
        raise UnusableModelError(f"{INDEX}: nobody knows the {class_name} that {directory.name} is to be.")
    try:
        return kind.from_pretrained(directory, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UnusableModelError(
            f"{directory.name} is missing or damaged ({type(error).__name__}); fetch the model again."
        ) from error
