"""ControlNets: networks that condition the UNet on an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from contract.options import ControlNet
from inference.diffusion.adapters.adapter_files import (
    AdapterFileError,
    check_family,
    identify,
    load_component,
)
from inference.diffusion.adapters.controlnet_file import read_controlnet
from inference.diffusion.adapters.device_cache import DeviceCache, size_bytes
from inference.diffusion.modules.device_copy import to_device
from inference.engine.interface import AdapterFile
from inference.models.memory_format import move_to_device

Residuals = tuple[list[torch.Tensor], torch.Tensor]
"""Added to the outputs of the UNet's down blocks, and of its mid block."""

_SHARED_SETTINGS = (
    "addition_embed_type",
    "block_out_channels",
    "cross_attention_dim",
    "layers_per_block",
    "projection_class_embeddings_input_dim",
)


@dataclass(frozen=True, eq=False)
class LoadedControlNet:
    """A ControlNet on the device.

    Attributes:
        id: depends on the name and the content.
        network: with the UNet's dtype.
        size_bytes: of its weights.
    """

    id: str
    network: ControlNetModel
    size_bytes: int


@dataclass(frozen=True)
class ControlNetInput:
    """A ControlNet with its conditioning image.

    Attributes:
        controlnet: the network.
        image: (1, 3, height, width), 0 to 1, on the device.
        scale: the conditioning scale.
        start: the share of the evaluations before which the ControlNet is not applied.
        end: the share of the evaluations after which the ControlNet is not applied.
    """

    controlnet: LoadedControlNet
    image: torch.Tensor
    scale: float
    start: float
    end: float

    def scale_at(self, done: int, evaluations: int) -> float:
        """The conditioning scale after `done` of the evaluations; 0 outside `start` and `end`."""
        outside = done / evaluations < self.start or (done + 1) / evaluations > self.end
        return 0.0 if outside else self.scale


class ControlNets:
    """Loads ControlNets for a pipeline."""

    def __init__(self, pipeline: Any, cache: DeviceCache) -> None:
        """Takes the pipeline, and the cache for the networks."""
        self._unet = pipeline.unet
        self._cache = cache
        self._image_processor = VaeImageProcessor(
            vae_scale_factor=pipeline.vae_scale_factor, do_convert_rgb=True, do_normalize=False
        )

    def load(self, file: AdapterFile, settings: ControlNet, image: Image.Image) -> ControlNetInput:
        """Loads the ControlNet, unless it is cached, and preprocesses its conditioning image.

        Args:
            file: a directory in the diffusers layout, or a file of weights.
            settings: from the request.
            image: RGB, of the output's size.

        Raises:
            AdapterFileError: the ControlNet cannot be used.
        """
        key = identify(file)
        loaded = self._cache.get_or_load(f"controlnet {key}", lambda: self._load(key, file))
        pixels = self._image_processor.preprocess(image).to(self._unet.device, self._unet.dtype)
        pixels = pixels.contiguous()  # as in diffusers: the memory format decides the last bits
        return ControlNetInput(loaded, pixels, settings.weight, settings.start, settings.end)

    def _load(self, key: str, file: AdapterFile) -> LoadedControlNet:
        if file.path.is_dir():
            network = load_component(ControlNetModel, file.path, self._unet.dtype)
        else:
            network = read_controlnet(file, self._unet.config, self._unet.dtype)
        check_family(network.config, self._unet.config, _SHARED_SETTINGS)
        if network.config.global_pool_conditions:
            raise AdapterFileError("has global_pool_conditions, which are not supported; use another")
        move_to_device(network, self._unet.device)
        return LoadedControlNet(key, network, size_bytes(network))


def run_controlnets(
    inputs: Sequence[Sequence[tuple[ControlNetInput, float]]],
    sample: torch.Tensor,
    timesteps: torch.Tensor,
    **arguments: Any,
) -> Residuals | None:
    """The summed residuals of a batch's ControlNets; None if all conditioning scales are 0.

    Args:
        inputs: for each sample its ControlNet inputs and conditioning scales; the same networks for all.
        sample: the UNet's, (samples, channels, height, width).
        timesteps: (samples,).
        arguments: the UNet's other arguments.
    """
    total: Residuals | None = None
    for of_network in zip(*inputs, strict=True):
        scales = [scale for _, scale in of_network]
        if not any(scales):
            continue
        network = of_network[0][0].controlnet.network
        down, mid = network(
            sample[:, : network.config.in_channels],
            timesteps,
            controlnet_cond=torch.cat([each.image for each, _ in of_network]),
            conditioning_scale=to_device(scales, sample.device).view(-1, 1, 1, 1),
            return_dict=False,
            **arguments,
        )
        down, mid = [each.to(sample.dtype) for each in down], mid.to(sample.dtype)
        total = (down, mid) if total is None else _sum(total, (down, mid))
    return total


def unet_arguments(residuals: Residuals | None) -> Mapping[str, Any]:
    """The residuals as keyword arguments of the UNet."""
    if residuals is None:
        return {}
    down, mid = residuals
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": mid}


def _sum(one: Residuals, other: Residuals) -> Residuals:
    return [a + b for a, b in zip(one[0], other[0], strict=True)], one[1] + other[1]
