"""Training of a ControlNet that makes the demo model follow edges."""

import random
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionPipeline
from torch import nn

from inference.input.canny import canny_edges
from training.batches import TrainingBatches
from training.loop import train
from training.scene import Scene, random_scene, training_triples

_CONDITIONING_CHANNELS = (8, 16, 32, 48)
"""Channels of the network that downsamples control images to the size of latents, by two three times."""

_EMPTY_CAPTION_SHARE = 0.5
"""Half of the captions are empty, so that the network has to use the edges."""


def train_controlnet(
    directory: Path, pipeline: StableDiffusionPipeline, *, steps: int, images: int, seed: int
) -> ControlNetModel:
    """Trains a ControlNet on the edges of `images` random scenes; the model itself stays as it is.

    Resumes from the checkpoint in `directory`, if there is one.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    triples = training_triples()
    scenes = [random_scene(rng, triples) for _ in range(images)]
    batches = TrainingBatches(
        pipeline.vae, pipeline.tokenizer, scenes, seed=seed, empty_caption_share=_EMPTY_CAPTION_SHARE
    )
    edges = torch.stack([_edges(scene) for scene in scenes])
    text_encoder = pipeline.text_encoder.requires_grad_(False)
    unet = pipeline.unet.requires_grad_(False)
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=_CONDITIONING_CHANNELS)
    controlnet.controlnet_cond_embedding.apply(_initialize)

    def loss_of(step: int) -> torch.Tensor:
        batch = batches.batch(step)

        def denoise(noisy: torch.Tensor, timesteps: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
            text = text_encoder(tokens).last_hidden_state
            down, middle = controlnet(
                noisy, timesteps, text, edges[batch.scenes].float() / 255, return_dict=False
            )
            velocity: torch.Tensor = unet(
                noisy,
                timesteps,
                text,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
            return velocity

        return batch.loss(denoise)

    train(
        controlnet.train(),
        loss_of,
        steps=steps,
        learning_rate=1e-3,
        checkpoint=directory / "controlnet.pt",
        decay=0.99,
    )
    return controlnet.eval()


def _initialize(module: nn.Module) -> None:
    """Kaiming initialization: with diffusers' own, thin lines almost vanish in these layers."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _edges(scene: Scene) -> torch.Tensor:
    """The scene's edges, (3, 128, 128), 8 bits."""
    return torch.from_numpy(np.array(canny_edges(scene.draw()))).permute(2, 0, 1)
