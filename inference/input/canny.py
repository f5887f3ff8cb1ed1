"""The map that a canny ControlNet is guided by."""

import numpy as np
from PIL import Image

_LOW, _HIGH = 100, 200
"""The thresholds that the networks were trained with: https://huggingface.co/lllyasviel/sd-controlnet-canny"""


def find_edges(image: Image.Image) -> Image.Image:
    """The picture's edges, white on black, as RGB."""
    import cv2  # only jobs that ask for it need it

    edges = cv2.Canny(np.asarray(image), _LOW, _HIGH)
    return Image.fromarray(edges).convert("RGB")
