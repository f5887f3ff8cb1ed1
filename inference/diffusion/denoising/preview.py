"""Previews: small images of the estimated result, made while the generation runs."""

from collections.abc import Callable

import numpy as np
import torch

from inference.diffusion.denoising.slot import Slot
from inference.diffusion.modules.device_copy import start_copy_to_cpu
from inference.diffusion.modules.side_stream import SideStream
from inference.diffusion.tasks.generation_task import Postprocess


def start_preview(slot: Slot, prediction: torch.Tensor) -> Postprocess | None:
    """Starts a preview of a slot's next step; returns a function that finishes it on the CPU.

    The engine thread does not wait for the GPU, except at a VAE's first preview.

    Args:
        slot: the slot before the step.
        prediction: see `Slot.estimate`.

    Returns:
        None if the VAE cannot be approximated.
    """
    decoder = slot.autoencoder.linear_decoder
    if decoder is None:
        return None
    latents = _copy_to_cpu(slot.estimate(prediction)[0])
    return lambda: decoder.image(latents())


def _copy_to_cpu(tensor: torch.Tensor) -> Callable[[], np.ndarray]:
    """Starts a copy to the CPU, and returns a function that waits for it."""
    copy = start_copy_to_cpu(tensor)
    copied = SideStream(None).record()

    def wait() -> np.ndarray:
        copied.wait()
        array: np.ndarray = copy.float().numpy()
        return array

    return wait
