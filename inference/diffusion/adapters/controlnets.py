"""ControlNets: networks that guide the UNet by a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from contract.options import ControlNet
from inference.diffusion.adapters.adapter_files import UnfitError, check_family, identify, load_component
from inference.diffusion.adapters.device_cache import Residents, size_bytes
from inference.engine.interface import AdapterFile
from inference.models.memory_format import settle

Residuals = tuple[list[torch.Tensor], torch.Tensor]
"""What is added to what the UNet's downward blocks give, and to what its middle gives."""

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
        id: the same for the same content under the same name.
        network: of the UNet's precision.
        size_bytes: what it occupies.
    """

    id: str
    network: ControlNetModel
    size_bytes: int


@dataclass(frozen=True)
class Control:
    """How a ControlNet guides an image.

    Attributes:
        controlnet: the network.
        picture: (1, 3, height, width), 0 to 1, on the device.
        weight: how strongly it guides.
        start: the share of the evaluations after which it begins to.
        end: the share of the evaluations after which it stops.
    """

    controlnet: LoadedControlNet
    picture: torch.Tensor
    weight: float
    start: float
    end: float

    def weight_at(self, done: int, evaluations: int) -> float:
        """How strongly it guides after `done` of the evaluations."""
        outside = done / evaluations < self.start or (done + 1) / evaluations > self.end
        return 0.0 if outside else self.weight


class ControlNets:
    """Loads the ControlNets of a pipeline."""

    def __init__(self, pipeline: Any, residents: Residents) -> None:
        """Takes the pipeline, and what decides which ControlNets stay."""
        self._unet = pipeline.unet
        self._residents = residents
        self._pictures = VaeImageProcessor(
            vae_scale_factor=pipeline.vae_scale_factor, do_convert_rgb=True, do_normalize=False
        )

    def control(self, file: AdapterFile, settings: ControlNet, picture: Image.Image) -> Control:
        """How the ControlNet, loaded unless it is there, guides by an RGB picture of the size to draw at.

        Raises:
            UnfitError: it cannot be used.
        """
        key = identify(file)
        loaded = self._residents.obtain(f"controlnet {key}", lambda: self._load(key, file))
        pixels = self._pictures.preprocess(picture).to(self._unet.device, self._unet.dtype)
        pixels = pixels.contiguous()  # as diffusers does: the layout decides the last bits
        return Control(loaded, pixels, settings.weight, settings.start, settings.end)

    def _load(self, key: str, file: AdapterFile) -> LoadedControlNet:
        network = load_component(ControlNetModel, file.path, self._unet.dtype)
        check_family(network.config, self._unet.config, _SHARED_SETTINGS)
        if network.config.global_pool_conditions:
            raise UnfitError("guides by its picture as a whole, which is not supported; use another")
        settle(network, self._unet.device)
        return LoadedControlNet(key, network, size_bytes(network))


def guide(
    controls: Sequence[Sequence[tuple[Control, float]]],
    sample: torch.Tensor,
    timesteps: torch.Tensor,
    **told: Any,
) -> Residuals | None:
    """What the ControlNets of a bucket add to the UNet, all together; None if none of them guides any row.

    Args:
        controls: for each row, the ControlNets that guide it, and how strongly; the same ones for all rows.
        sample: (rows, channels, height, width), what the UNet is shown.
        timesteps: (rows,).
        told: what else the UNet is told.
    """
    total: Residuals | None = None
    for of_a_network in zip(*controls, strict=True):
        weights = [weight for _, weight in of_a_network]
        if not any(weights):
            continue
        network = of_a_network[0][0].controlnet.network
        down, middle = network(
            sample[:, : network.config.in_channels],
            timesteps,
            controlnet_cond=torch.cat([control.picture for control, _ in of_a_network]),
            conditioning_scale=torch.tensor(weights, device=sample.device).view(-1, 1, 1, 1),
            return_dict=False,
            **told,
        )
        down, middle = [each.to(sample.dtype) for each in down], middle.to(sample.dtype)
        total = (down, middle) if total is None else _sum(total, (down, middle))
    return total


def as_arguments(residuals: Residuals | None) -> Mapping[str, Any]:
    """The residuals as the UNet takes them."""
    if residuals is None:
        return {}
    down, middle = residuals
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def _sum(one: Residuals, other: Residuals) -> Residuals:
    return [a + b for a, b in zip(one[0], other[0], strict=True)], one[1] + other[1]
