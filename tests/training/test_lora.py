"""The LoRA's two file formats."""

from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file

from training.lora import save_lora
from training.model import load_model


def predict_velocity(pipeline: StableDiffusionPipeline) -> torch.Tensor:
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sample: torch.Tensor = pipeline.unet(latents, torch.tensor([500]), torch.ones(1, 77, 128)).sample
    return sample


def test_the_diffusers_and_kohya_files_load_the_same_weights(demo_model: Path, tmp_path: Path) -> None:
    source = load_model(demo_model)
    without_lora = predict_velocity(source)
    torch.manual_seed(0)
    source.unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_out.0"], init_lora_weights=False))
    save_lora(tmp_path, get_peft_model_state_dict(source.unet))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["moon-kohya.safetensors", "moon.safetensors"]
    assert any(name.startswith("lora_unet_") for name in load_file(tmp_path / files[0]))
    velocities = []
    for name in files:
        pipeline = load_model(demo_model)
        pipeline.load_lora_weights(tmp_path, weight_name=name)
        velocities.append(predict_velocity(pipeline))
        pipeline.unload_lora_weights()
        assert torch.equal(predict_velocity(pipeline), without_lora)
    assert torch.equal(velocities[0], velocities[1])
    assert not torch.allclose(velocities[0], without_lora)
