"""The preprocessor of canny ControlNets."""

import numpy as np
from PIL import Image

_LOW, _HIGH = 100, 200
"""Thresholds used in training: https://huggingface.co/lllyasviel/sd-controlnet-canny"""


def canny_edges(image: Image.Image) -> Image.Image:
    """The edges of an RGB image, white on black, as RGB."""
    import cv2  # imported only by jobs that need it

    edges = cv2.Canny(np.asarray(image), _LOW, _HIGH)
    return Image.fromarray(edges).convert("RGB")
