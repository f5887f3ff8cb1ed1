"""Opening of models and adapters with the container's own code, which imports torch and takes seconds."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.adapters import CONTROLNET, EMBEDDING, LORA, UPSCALER, VAE, AdapterKind
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from inference.models.formats import DiffusersDirectory, open_model
from inference.models.safetensors_file import open_safetensors

_ANY_GROUPS = {"norm_num_groups": 1}
"""A setting of VAEs that the shapes of weights do not depend on, and that divides every width."""


class UnusableAdapterError(Exception):
    """The container would not use an adapter; the message is the rest of a sentence about it."""


@dataclass(frozen=True)
class LoadedModel:
    """A model that the container can load.

    Attributes:
        pipeline: the name of its class in diffusers.
        trained_size: width and height in pixels of the images that it was trained with; None if its files do
            not have it.
        missing_vae: see `AbsentVae.missing`; None if the model has its VAE.
    """

    pipeline: str
    trained_size: int | None
    missing_vae: str | None = None


def load_model(path: Path) -> LoadedModel | None:
    """Loads the model at a path as the container does, and its refiner.

    Returns:
        The model; None for a pipeline that diffusers itself loads, which is not tried.

    Raises:
        UnusableModelError: the container would not load it.
    """
    _silence_libraries()
    import torch

    from inference.models.diffusers_directory import directory_components
    from inference.models.loading import load_pipeline, load_refiner

    model = open_model(path)
    if isinstance(model, DiffusersDirectory) and directory_components(model.path) is None:
        return None
    device, dtype = torch.device("cpu"), _dtype(path)  # a conversion would read all tensors
    pipeline = load_pipeline(path, device=device, dtype=dtype)
    load_refiner(path, device=device, dtype=dtype)
    missing_vae = getattr(pipeline.vae, "missing", None)
    return LoadedModel(type(pipeline).__name__, _trained_size(pipeline), missing_vae)


def read_adapter(kind: AdapterKind, path: Path) -> None:
    """Reads an adapter as the container does, as far as that is possible without a model.

    Raises:
        UnusableAdapterError: no model could use it.
    """
    from inference.diffusion.adapters.adapter_files import AdapterFileError

    try:
        _reader(kind, path)(path)
    except AdapterFileError as error:
        raise UnusableAdapterError(error.reason) from error
    except AdapterUnusableError as error:
        raise UnusableAdapterError("; ".join(each.detail for each in error.errors)) from error


def _reader(kind: AdapterKind, path: Path) -> Callable[[Path], Any]:
    _silence_libraries()
    import torch
    from diffusers import AutoencoderKL, ControlNetModel

    from inference.diffusion.adapters.adapter_files import load_component, read_tensors
    from inference.diffusion.adapters.controlnet_file import read_controlnet_tensors
    from inference.diffusion.adapters.lora_file import check_lora_file
    from inference.diffusion.adapters.vae_file import read_vae
    from inference.diffusion.prompts.textual_inversion_file import read_textual_inversions
    from inference.diffusion.upscaling.upscaler_file import read_upscaler

    components = {CONTROLNET.name: ControlNetModel, VAE.name: AutoencoderKL}
    if path.is_dir() and kind.name in components:
        return lambda path: load_component(components[kind.name], path, torch.float16)
    if path.is_dir():
        return lambda path: [read_tensors(each) for each in path.glob("**/*.safetensors")]
    if kind is CONTROLNET:
        return read_controlnet_tensors
    if kind is VAE:
        return lambda path: read_vae(path, _ANY_GROUPS, torch.float16)
    if kind is EMBEDDING:
        return read_textual_inversions
    if kind is UPSCALER:
        return lambda path: read_upscaler(AdapterFile(path.stem, path, version=""), pointer="")
    if kind is LORA:
        return check_lora_file
    return read_tensors


def _silence_libraries() -> None:
    """Suppresses warnings that the libraries write when they are imported; the container does the same."""
    os.environ.update({"DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error"})


def _dtype(path: Path) -> Any:
    """The dtype of the tensors in the largest file, preferring fp16 variants."""
    import torch

    files = sorted(path.rglob("*.safetensors"), key=lambda file: (".fp16" in file.name, file.stat().st_size))
    if not files:
        return torch.float16
    with open_safetensors(files[-1], framework="numpy") as file:
        names = list(file.keys())
        stored = file.get_slice(names[0]).get_dtype() if names else ""
    return {"F32": torch.float32, "BF16": torch.bfloat16}.get(stored, torch.float16)


def _trained_size(pipeline: Any) -> int | None:
    size = pipeline.unet.config.sample_size
    return size * pipeline.vae_scale_factor if isinstance(size, int) else None
