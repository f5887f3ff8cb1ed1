"""Restoring the image outside an inpainting mask."""

import torch
from diffusers import DDIMScheduler

from inference.diffusion.denoising.initial_latents import PreservedRegion


def preserved_left_half() -> PreservedRegion:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    return PreservedRegion(mask, image=torch.full((1, 4, 8, 8), 2.0), noise=torch.full((1, 4, 8, 8), 3.0))


def test_the_image_is_restored_without_noise_after_the_last_step() -> None:
    latents = preserved_left_half().restore(torch.ones(1, 4, 8, 8), DDIMScheduler(), torch.tensor([]))
    assert (latents[..., :4] == 2).all()
    assert (latents[..., 4:] == 1).all()


def test_the_image_is_restored_at_the_noise_level_of_the_timestep() -> None:
    scheduler, timestep = DDIMScheduler(), torch.tensor([500])
    region = preserved_left_half()
    latents = region.restore(torch.ones(1, 4, 8, 8), scheduler, timestep)
    noisy = scheduler.add_noise(region.image, region.noise, timestep)
    assert torch.equal(latents[..., :4], noisy[..., :4])
    assert (latents[..., 4:] == 1).all()
