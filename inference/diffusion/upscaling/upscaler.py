"""A super-resolution model."""

from typing import Any

import numpy as np
import torch

from inference.diffusion.upscaling.tiles import OVERLAP
from inference.engine.errors import InvalidOutputError

MAX_TILE_SIZE = 384
"""Pixels a side. With a large model such a tile takes about as long as a denoising step of a full batch."""


class Upscaler:
    """A loaded super-resolution model.

    Attributes:
        scale: the factor of width and height.
        size_bytes: of the weights.
        max_tile_size: pixels a side; reduced when a tile does not fit in GPU memory.
    """

    def __init__(self, model: Any, *, max_tile_size: int = MAX_TILE_SIZE) -> None:
        """Takes a spandrel model from RGB to RGB, on the CPU, and the tile size to begin with."""
        self._model = model
        self.scale: int = model.scale
        self.size_bytes = sum(each.nbytes for each in model.model.state_dict().values())
        self.max_tile_size = max_tile_size

    def move_to_device(self, device: torch.device) -> None:
        """Moves the model to the device, unless it is there.

        On a GPU it runs in float16 if it supports that, and never in bfloat16, which cannot represent the 256
        levels of an 8-bit image.
        """
        use_float16 = device.type == "cuda" and self._model.supports_half
        self._model.to(device, torch.float16 if use_float16 else torch.float32)

    def shrink_tiles(self) -> bool:
        """Halves the tile size; returns False if the tiles would then not be larger than their overlap."""
        halved = self.max_tile_size // 2
        if halved <= OVERLAP:
            return False
        self.max_tile_size = halved
        return True

    def upscale(self, pixels: np.ndarray) -> np.ndarray:
        """An RGB image, `scale` times as large. Memory grows with the image's size.

        Args:
            pixels: uint8, (height, width, 3).

        Raises:
            InvalidOutputError: the model's output contains NaN values.
        """
        on_device = torch.from_numpy(pixels).to(self._model.device, self._model.dtype)
        upscaled = self._model(on_device.permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0)
        if upscaled.isnan().any():
            raise InvalidOutputError("The upscaler's output contains NaN values; use another upscaler.")
        levels: np.ndarray = (upscaled.float() * 255).round().to(torch.uint8).cpu().numpy()
        return levels
