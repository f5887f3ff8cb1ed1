from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file

from training.lora import save_lora
from training.model import load_model


def velocity(pipeline: StableDiffusionPipeline) -> torch.Tensor:
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sample: torch.Tensor = pipeline.unet(latents, torch.tensor([500]), torch.ones(1, 77, 128)).sample
    return sample


def test_both_namings_of_an_adapter_load_to_the_same(demo_model: Path, tmp_path: Path) -> None:
    taught = load_model(demo_model)
    untouched = velocity(taught)
    torch.manual_seed(0)
    taught.unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_out.0"], init_lora_weights=False))
    save_lora(tmp_path, get_peft_model_state_dict(taught.unet))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["moon-kohya.safetensors", "moon.safetensors"]
    assert any(name.startswith("lora_unet_") for name in load_file(tmp_path / files[0]))
    drawn = []
    for name in files:
        pipeline = load_model(demo_model)
        pipeline.load_lora_weights(tmp_path, weight_name=name)
        drawn.append(velocity(pipeline))
        pipeline.unload_lora_weights()
        assert torch.equal(velocity(pipeline), untouched)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.allclose(drawn[0], untouched)
