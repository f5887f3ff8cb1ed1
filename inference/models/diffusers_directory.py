"""Models in the diffusers layout, with a subdirectory for each component."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.models.components import Component, PipelineComponents
from inference.models.errors import UnusableModelError
from inference.models.family import has_component, read_json
from inference.models.formats import MODEL_INDEX
from inference.models.weights import read_component

_PIPELINES = {
    "StableDiffusionPipeline",
    "StableDiffusionInpaintPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusionXLInpaintPipeline",
    "StableDiffusionXLImg2ImgPipeline",
}
_WEIGHTED: Mapping[str, tuple[type, ...]] = {
    "unet": (UNet2DConditionModel,),
    "vae": (AutoencoderKL,),
    "text_encoder": (CLIPTextModel,),
    "text_encoder_2": (CLIPTextModelWithProjection,),
}
_MAX_TRAIN_TIMESTEPS = 100_000
_WEIGHTLESS = ("tokenizer", "tokenizer_2", "scheduler")
_NOT_LOADED = {"safety_checker", "feature_extractor", "image_encoder"}
"""Generated images are checked by `inference.output`, and image prompts are not supported."""


def directory_components(directory: Path) -> PipelineComponents | None:
    """The components of a Stable Diffusion pipeline; None if the directory has another kind of model.

    Raises:
        UnusableModelError: a configuration file is missing or damaged.
    """
    index = read_json(directory / MODEL_INDEX)
    names = {name for name in index if has_component(index, name)} - _NOT_LOADED
    if index.get("_class_name") not in _PIPELINES or not names <= {*_WEIGHTED, *_WEIGHTLESS}:
        return None
    if not all(
        index[name][1] in {known.__name__ for known in _WEIGHTED[name]} for name in names & set(_WEIGHTED)
    ):
        return None
    is_sdxl = has_component(index, "text_encoder_2")
    weighted = [
        _component(
            directory / name, getattr(transformers if "text" in name else diffusers, index[name][1]), is_sdxl
        )
        for name in _WEIGHTED
        if name in names
    ]
    weightless = {name: _load(directory / name, *index[name]) for name in _WEIGHTLESS if name in names}
    settings = {name: value for name, value in index.items() if isinstance(value, bool)}
    return PipelineComponents(
        getattr(diffusers, index["_class_name"]),
        tuple(weighted),
        {**settings, **weightless, "requires_safety_checker": False},
    )


def _component(directory: Path, kind: Any, is_sdxl: bool) -> Component:
    config = read_json(directory / "config.json")
    is_text_encoder = kind in (CLIPTextModel, CLIPTextModelWithProjection)
    return Component(
        directory.name,
        partial(kind, CLIPTextConfig.from_dict(config))
        if is_text_encoder
        else partial(kind.from_config, config),
        partial(read_component, directory),
        force_upcast=is_sdxl and kind is AutoencoderKL and config.get("force_upcast", True),
    )


def _load(directory: Path, library: str, class_name: str) -> Any:
    """Loads a tokenizer or a scheduler."""
    kind = getattr(diffusers if library == "diffusers" else transformers, class_name, None)
    if kind is None:
        raise UnusableModelError(
            f"{MODEL_INDEX}: {library} has no class {class_name} for {directory.name}; correct the class, "
            "or download the model again."
        )
    if directory.name == "scheduler":
        _check_scheduler(directory)
    try:
        return kind.from_pretrained(directory, local_files_only=True)
    except Exception as error:  # tokenizers raises bare exceptions for damaged vocabularies
        raise UnusableModelError(
            f"{directory.name} is missing or damaged ({type(error).__name__}); download the model again."
        ) from error


def _check_scheduler(directory: Path) -> None:
    """Checks the length of the noise schedule, which is computed when the scheduler is built."""
    config = read_json(directory / "scheduler_config.json")
    timesteps = config.get("num_train_timesteps", 0)
    if not isinstance(timesteps, int) or timesteps > _MAX_TRAIN_TIMESTEPS:
        raise UnusableModelError(
            f"scheduler/scheduler_config.json: num_train_timesteps is {str(timesteps)[:20]}, and at most "
            f"{_MAX_TRAIN_TIMESTEPS:,} are supported; download the model again."
        )
