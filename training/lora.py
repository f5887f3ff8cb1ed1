"""Training of a LoRA that adds a shape to the demo model."""

import random
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_kohya
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from training.batches import TrainingBatches
from training.denoiser import Denoiser
from training.loop import train
from training.scene import Scene, random_scene, training_triples
from training.shapes import NEW_SHAPE

_RANK = 8
_TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
_NEW_SHAPE_SHARE = 0.7


def train_lora(
    directory: Path, pipeline: StableDiffusionPipeline, *, steps: int, images: int, seed: int
) -> dict[str, torch.Tensor]:
    """Trains a LoRA for the UNet on `images` random scenes.

    Some scenes show the model's own shapes, so that it does not unlearn them. Resumes from the checkpoint in
    `directory`, if there is one.

    Returns:
        The LoRA's weights under peft's names.
    """
    torch.manual_seed(seed)
    batches = TrainingBatches(pipeline.vae, pipeline.tokenizer, _scenes(images, seed), seed=seed)
    denoiser = Denoiser(pipeline.text_encoder, pipeline.unet).requires_grad_(False)
    pipeline.unet.add_adapter(LoraConfig(r=_RANK, lora_alpha=_RANK, target_modules=_TARGETS))
    train(
        denoiser,
        lambda step: batches.loss(denoiser, step),
        steps=steps,
        learning_rate=3e-3,
        checkpoint=directory / "lora.pt",
        decay=0.99,
    )
    weights: dict[str, torch.Tensor] = get_peft_model_state_dict(pipeline.unet)
    return weights


def save_lora(directory: Path, weights: dict[str, torch.Tensor]) -> None:
    """Writes the LoRA in two formats, with diffusers' and with kohya's names."""
    directory.mkdir(parents=True, exist_ok=True)
    half = {name: value.to(torch.float16).contiguous() for name, value in weights.items()}
    StableDiffusionPipeline.save_lora_weights(
        directory, unet_lora_layers=half, weight_name=f"{NEW_SHAPE}.safetensors"
    )
    prefixed = {f"unet.{name}": value for name, value in half.items()}
    save_file(convert_state_dict_to_kohya(prefixed), directory / f"{NEW_SHAPE}-kohya.safetensors")


def _scenes(count: int, seed: int) -> list[Scene]:
    rng = random.Random(seed)
    known = training_triples()
    new = [replace(triple, shape=NEW_SHAPE) for triple in known]
    return [random_scene(rng, new if rng.random() < _NEW_SHAPE_SHARE else known) for _ in range(count)]
