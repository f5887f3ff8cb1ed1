"""The DoRA of a LoRA."""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model_state_dict

from inference.diffusion.adapters.lora_file import read_lora
from inference.diffusion.adapters.lora_layers import LoraLayers
from training.dora import save_dora
from training.model import load_model


def test_a_dora_changes_the_weights_as_its_lora_does(demo_model: Path, tmp_path: Path) -> None:
    pipeline = load_model(demo_model)
    pipeline.unet.add_adapter(
        LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "proj_in"], init_lora_weights=False)
    )
    weights = get_peft_model_state_dict(pipeline.unet)
    pipeline = load_model(demo_model)
    save_dora(tmp_path, weights, pipeline.unet)
    dora = read_lora(tmp_path / "moon-dora.safetensors", LoraLayers(pipeline))
    assert len(dora.deltas) == len(weights) // 2
    assert not dora.low_rank
    for layer, delta in dora.deltas.items():
        weight = pipeline.unet.get_submodule(layer.name).weight.detach()
        down, up = (weights[f"{layer.name}.lora_{half}.weight"].flatten(1) for half in "AB")
        change = delta.of_weight(weight)
        assert change is not None
        torch.testing.assert_close(change.flatten(1), up @ down, atol=5e-3, rtol=5e-3)
