"""A linear map from latents to RGB, which approximates a VAE's decoder at no cost on the GPU."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

_CELLS = 8
_CELL = 4
"""Latents on each side of a cell of one colour. The outer ones, which its neighbours affect, are not used."""


class LinearDecoder:
    """Maps each latent to one RGB pixel."""

    def __init__(self, weights: np.ndarray) -> None:
        """Takes the weights, (channels + 1, 3); the last row is the bias. Pixels are -1 to 1."""
        self._weights = weights

    @classmethod
    def fit(cls, channels: int, decode: Callable[[torch.Tensor], torch.Tensor]) -> "LinearDecoder | None":
        """The least squares fit to one decoded image of 32 x 32 latents: 8 x 8 cells of random values.

        Args:
            channels: of the latents.
            decode: the VAE's decoder, from latents to pixels, -1 to 1.

        Returns:
            None if the decoder's output is not finite.
        """
        values = np.random.default_rng(0).standard_normal((channels, _CELLS, _CELLS))
        latents = values.repeat(_CELL, axis=1).repeat(_CELL, axis=2)
        pixels = decode(torch.from_numpy(latents.astype(np.float32))[None])[0].float().cpu().numpy()
        if not np.isfinite(pixels).all():
            return None
        side = pixels.shape[-1] // _CELLS
        margin = side // _CELL
        cells = pixels.reshape(3, _CELLS, side, _CELLS, side)
        colours = cells[:, :, margin:-margin, :, margin:-margin].mean(axis=(2, 4))
        weights, *_ = np.linalg.lstsq(_rows(values), colours.reshape(3, -1).T, rcond=None)
        return cls(weights)

    def image(self, latents: np.ndarray) -> Image.Image:
        """The RGB image of latents, (channels, height, width), with one pixel for each."""
        pixels = (_rows(latents) @ self._weights + 1) * 127.5
        pixels = np.nan_to_num(pixels).clip(0, 255).round().astype(np.uint8)
        return Image.fromarray(pixels.reshape(*latents.shape[1:], 3))


def _rows(latents: np.ndarray) -> np.ndarray:
    """A row for each latent: its channels, and 1 for the bias."""
    rows = latents.reshape(len(latents), -1).T
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
