"""VAEs that take the place of a model's own."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from inference.diffusion.adapters.adapter_files import (
    AdapterFileError,
    check_family,
    identify,
    load_component,
)
from inference.diffusion.adapters.device_cache import DeviceCache, size_bytes
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.engine.interface import AdapterFile
from inference.models.memory_format import move_to_device

_LATENTS = ("latent_channels", "latents_mean", "latents_std", "scaling_factor", "shift_factor")
"""What decides whether two VAEs mean the same by the same latents."""


class LoadedVae:
    """A VAE on the device, as a model's own would be used."""

    def __init__(self, pipeline: Any, vae: AutoencoderKL) -> None:
        self.autoencoder = Autoencoder(pipeline, vae)
        self.size_bytes = size_bytes(vae)


class Vaes:
    """Loads VAEs for a pipeline."""

    def __init__(self, pipeline: Any, cache: DeviceCache) -> None:
        """Takes the pipeline, and what decides which VAEs stay."""
        self._pipeline = pipeline
        self._cache = cache

    def load(self, file: AdapterFile) -> LoadedVae:
        """The VAE, loaded unless it is there.

        Raises:
            AdapterFileError: it cannot be used.
        """
        return self._cache.get_or_load(f"vae {identify(file)}", lambda: self._load(file))

    def _load(self, file: AdapterFile) -> LoadedVae:
        pipeline, unet = self._pipeline, self._pipeline.unet
        vae = _read(file.path, pipeline.vae, unet.dtype)
        check_family(vae.config, pipeline.vae.config, _LATENTS)
        if len(vae.config.block_out_channels) != len(pipeline.vae.config.block_out_channels):
            raise AdapterFileError("makes latents of another size; use one of this model's family")
        is_large = unet.config.addition_embed_type == "text_time"
        if is_large and vae.dtype == torch.float16 and vae.config.force_upcast:
            vae.to(torch.float32)  # its numbers are too large for half precision
        move_to_device(vae, unet.device)
        return LoadedVae(pipeline, vae)


def _read(path: Path, own: AutoencoderKL, dtype: torch.dtype) -> AutoencoderKL:
    """The VAE in a directory, or in a file, which has the settings of the model's own."""
    if path.is_dir():
        return load_component(AutoencoderKL, path, dtype)
    with tempfile.TemporaryDirectory() as directory:
        own.save_config(directory)
        Path(directory, "diffusion_pytorch_model.safetensors").symlink_to(path)
        return load_component(AutoencoderKL, Path(directory), dtype)
