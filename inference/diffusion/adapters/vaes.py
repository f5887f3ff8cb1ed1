"""VAEs that replace a model's own."""

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
from inference.diffusion.adapters.vae_file import read_vae
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.engine.interface import AdapterFile
from inference.models.memory_format import move_to_device

_LATENT_SETTINGS = ("latent_channels", "latents_mean", "latents_std", "scaling_factor", "shift_factor")
"""Settings that two VAEs must share for their latents to be interchangeable."""


class LoadedVae:
    """A VAE on the device.

    Attributes:
        autoencoder: encodes and decodes with it.
        size_bytes: of its weights.
    """

    def __init__(self, pipeline: Any, vae: AutoencoderKL) -> None:
        self.autoencoder = Autoencoder(pipeline, vae)
        self.size_bytes = size_bytes(vae)


class Vaes:
    """Loads VAEs for a pipeline."""

    def __init__(self, pipeline: Any, cache: DeviceCache) -> None:
        """Takes the pipeline, and the cache for the VAEs."""
        self._pipeline = pipeline
        self._cache = cache

    def load(self, file: AdapterFile) -> LoadedVae:
        """Loads the VAE, unless it is cached.

        Args:
            file: a directory in the diffusers layout, or a file of weights.

        Raises:
            AdapterFileError: the VAE cannot be used.
        """
        return self._cache.get_or_load(f"vae {identify(file)}", lambda: self._load(file))

    def _load(self, file: AdapterFile) -> LoadedVae:
        pipeline, unet = self._pipeline, self._pipeline.unet
        if file.path.is_dir():
            vae = load_component(AutoencoderKL, file.path, unet.dtype)
        else:
            vae = read_vae(file.path, pipeline.vae.config, unet.dtype)
        check_family(vae.config, pipeline.vae.config, _LATENT_SETTINGS)
        if len(vae.config.block_out_channels) != len(pipeline.vae.config.block_out_channels):
            raise AdapterFileError(
                "has another latent size than the model's VAE; use one made for this model"
            )
        is_sdxl = unet.config.addition_embed_type == "text_time"
        if is_sdxl and vae.dtype == torch.float16 and vae.config.force_upcast:
            vae.to(torch.float32)  # its activations overflow in float16
        move_to_device(vae, unet.device)
        return LoadedVae(pipeline, vae)
