"""Training of the ControlNet."""

from pathlib import Path

import torch

from training.controlnet import train_controlnet
from training.model import load_model


def test_edges_change_the_residuals_after_two_training_steps(demo_model: Path, tmp_path: Path) -> None:
    controlnet = train_controlnet(tmp_path, load_model(demo_model), steps=2, images=48, seed=1)
    latents, text = torch.zeros(1, 4, 16, 16), torch.zeros(1, 77, 128)
    edges = torch.zeros(1, 3, 128, 128)
    edges[:, :, 40:42] = 1
    with torch.no_grad():
        without_edges, with_edges = (
            controlnet(latents, torch.tensor([500]), text, each, return_dict=False)[1]
            for each in (torch.zeros_like(edges), edges)
        )
    assert not torch.allclose(without_edges, with_edges, rtol=0.01)
