"""Adapters for the tiny models, with random weights."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel
from safetensors.torch import save_file
from torch import nn

from inference.engine.interface import AdapterFile

COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "conv1")


def lora(
    pipeline: Any, *, seed: int = 0, rank: int = 2, components: tuple[str, ...] = COMPONENTS
) -> dict[str, torch.Tensor]:
    """A LoRA for attention, MLP and convolution layers, in diffusers' naming."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for component in components:
        model = getattr(pipeline, component, nn.Module())
        for name, layer in model.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d) and name.endswith(_LAYERS):
                outputs, *inputs = layer.weight.shape
                up = (outputs, rank, *(1 for _ in inputs[1:]))
                stem = f"{component}.{name}"
                weights[f"{stem}.lora_A.weight"] = 0.3 * torch.randn(rank, *inputs, generator=generator)
                weights[f"{stem}.lora_B.weight"] = 0.3 * torch.randn(up, generator=generator)
    return weights


def kohya(weights: dict[str, torch.Tensor], *, alpha: float) -> dict[str, torch.Tensor]:
    """The same LoRA in kohya's naming."""
    stems = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
    renamed = {}
    for name, values in weights.items():
        component, _, layer = name.partition(".")
        layer, _, half = layer.partition(".lora_")
        if component != "unet" and not layer.startswith("text_"):
            layer = f"text_model.{layer}"
        stem = f"{stems[component]}_{layer.replace('.', '_')}"
        renamed[f"{stem}.lora_{'down' if half[0] == 'A' else 'up'}.weight"] = values
        renamed[f"{stem}.alpha"] = torch.tensor(alpha)
    return renamed


def write(path: Path, weights: dict[str, torch.Tensor], **metadata: str) -> AdapterFile:
    """Writes a safetensors file."""
    save_file(weights, path, metadata=metadata)
    return file_at(path)


def file_at(path: Path) -> AdapterFile:
    """The adapter in a file or a directory, named like it."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return AdapterFile(path.stem, path, version)


def controlnet(pipeline: Any, directory: Path, *, seed: int = 0, **settings: Any) -> AdapterFile:
    """A ControlNet with random weights for a pipeline's UNet."""
    torch.manual_seed(seed)
    network = ControlNetModel.from_unet(pipeline.unet, load_weights_from_unet=False)
    network.register_to_config(**settings)
    for values in network.parameters():
        nn.init.normal_(values, std=0.1)
    network.save_pretrained(directory)
    return file_at(directory)


def vae(pipeline: Any, directory: Path, *, seed: int = 0, **settings: Any) -> AdapterFile:
    """A VAE with random weights and a pipeline's configuration, except for these settings."""
    torch.manual_seed(seed)
    config = {name: value for name, value in pipeline.vae.config.items() if not name.startswith("_")}
    other = AutoencoderKL(**config | settings)
    other.save_pretrained(directory)
    return file_at(directory)
