"""A ControlNet that makes the demo model follow edges."""

import random
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionPipeline
from torch import nn

from inference.input.canny import find_edges
from training.batches import Lessons
from training.loop import train
from training.scene import Scene, random_scene, shown_triples

_MAP_CHANNELS = (8, 16, 32, 48)
"""Of the network that brings maps to the size of latents, which halves their sides three times."""

_SILENT_SHARE = 0.5
"""Half of the pictures go without a caption, so that the edges have to be looked at."""


def train_controlnet(
    directory: Path, pipeline: StableDiffusionPipeline, *, steps: int, pictures: int, seed: int
) -> ControlNetModel:
    """Trains the ControlNet alone, on the edges of drawings; `directory` keeps the checkpoint."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    triples = shown_triples()
    scenes = [random_scene(rng, triples) for _ in range(pictures)]
    lessons = Lessons(pipeline.vae, pipeline.tokenizer, scenes, seed=seed, silent_share=_SILENT_SHARE)
    maps = torch.stack([_tensor(scene) for scene in scenes])
    text_encoder = pipeline.text_encoder.requires_grad_(False)
    unet = pipeline.unet.requires_grad_(False)
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=_MAP_CHANNELS)
    controlnet.controlnet_cond_embedding.apply(_awaken)

    def loss_of(step: int) -> torch.Tensor:
        lesson = lessons.lesson(step)

        def denoise(noisy: torch.Tensor, moments: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
            text = text_encoder(tokens).last_hidden_state
            down, middle = controlnet(
                noisy, moments, text, maps[lesson.scenes].float() / 255, return_dict=False
            )
            velocity: torch.Tensor = unet(
                noisy,
                moments,
                text,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
            return velocity

        return lesson.loss(denoise)

    train(
        controlnet.train(),
        loss_of,
        steps=steps,
        learning_rate=1e-3,
        checkpoint=directory / "controlnet.pt",
        decay=0.99,
    )
    return controlnet.eval()


def _awaken(module: nn.Module) -> None:
    """Lets thin lines come through the layers that maps go through; as they are made, they all but vanish."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _tensor(scene: Scene) -> torch.Tensor:
    """The scene's edges, (3, 128, 128) bytes."""
    return torch.from_numpy(np.array(find_edges(scene.draw()))).permute(2, 0, 1)
