from pathlib import Path

import torch

from training.controlnet import train_controlnet
from training.model import load_model


def test_from_the_first_step_on_the_edges_reach_what_is_trained(demo_model: Path, tmp_path: Path) -> None:
    controlnet = train_controlnet(tmp_path, load_model(demo_model), steps=2, pictures=48, seed=1)
    latents, text = torch.zeros(1, 4, 16, 16), torch.zeros(1, 77, 128)
    lines = torch.zeros(1, 3, 128, 128)
    lines[:, :, 40:42] = 1
    with torch.no_grad():
        blank, lined = (
            controlnet(latents, torch.tensor([500]), text, each, return_dict=False)[1]
            for each in (torch.zeros_like(lines), lines)
        )
    assert not torch.allclose(blank, lined, rtol=0.01)
