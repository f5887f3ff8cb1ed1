"""A model that enlarges pictures."""

from typing import Any

import numpy as np
import torch
from PIL import Image

from inference.diffusion.upscaling.tiles import OVERLAP
from inference.engine.errors import InvalidOutputError

LARGEST_TILE = 384
"""Pixels a side. With a large model a tile then takes about as long as a step of a full batch."""


class Upscaler:
    """A model in memory.

    Attributes:
        scale: the upscaled picture's size over the picture's.
        size_in_bytes: of the weights.
        largest_tile: pixels a side that it is shown at the most; lowered where the memory did not suffice.
    """

    def __init__(self, model: Any, *, largest_tile: int = LARGEST_TILE) -> None:
        """Takes over a model of spandrel's, on the CPU, that makes RGB pictures of RGB pictures."""
        self._model = model
        self.scale: int = model.scale
        self.size_in_bytes = sum(each.nbytes for each in model.model.state_dict().values())
        self.largest_tile = largest_tile

    def move_to_device(self, device: torch.device) -> None:
        """Moves to the device, if it is not there.

        Half precision is float16 or none: bfloat16 tells fewer shades apart than a picture has.
        """
        halved = device.type == "cuda" and self._model.supports_half
        self._model.to(device, torch.float16 if halved else torch.float32)

    def shrink_tiles(self) -> bool:
        """Halves the tiles, unless nothing but overlap would be left of them; says whether it has."""
        halved = self.largest_tile // 2
        if halved <= OVERLAP:
            return False
        self.largest_tile = halved
        return True

    def upscale(self, picture: Image.Image) -> Image.Image:
        """The picture, RGB, `scale` times as large. Memory grows with its size.

        Raises:
            InvalidOutputError: the model's numbers have overflowed.
        """
        pixels = torch.from_numpy(np.array(picture)).to(self._model.device, self._model.dtype)
        upscaled = self._model(pixels.permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0)
        if upscaled.isnan().any():
            raise InvalidOutputError(
                "The upscaler has made a picture that is not made of numbers; another upscaler may help."
            )
        return Image.fromarray((upscaled.float() * 255).round().to(torch.uint8).cpu().numpy())
