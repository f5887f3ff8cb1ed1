"""Saving and loading the demo model."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTokenizer

from contract.family import Family
from contract.manifest import ModelManifest
from contract.model import ModelDefaults, ModelLimits
from inference.models.manifests import write_manifest
from training.denoiser import Denoiser, scheduler
from training.scene import SIZE
from training.tokenizer import save_vocabulary

DIRECTORY = Path(__file__).parents[1] / "inference" / "demo_model"
LORAS = DIRECTORY.with_name("demo_loras")
CONTROLNETS = DIRECTORY.with_name("demo_controlnets")

_MANIFEST = ModelManifest(
    family=Family.SD1,
    defaults=ModelDefaults(width=SIZE, height=SIZE, steps=20),
    limits=ModelLimits(max_size=4 * SIZE),
)


def save_model(directory: Path, vae: AutoencoderKL, tokenizer: CLIPTokenizer, denoiser: Denoiser) -> None:
    """Writes a diffusers directory with half-precision safetensors, and the model's manifest."""
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=denoiser.text_encoder,
        tokenizer=tokenizer,
        unet=denoiser.unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    for module in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
        module.to(torch.float16)
    pipeline.save_pretrained(directory, safe_serialization=True)
    save_vocabulary(tokenizer, directory / "tokenizer")
    write_manifest(directory, _MANIFEST)


def load_model(directory: Path) -> StableDiffusionPipeline:
    """The pipeline in float32, without a progress bar."""
    pipeline = StableDiffusionPipeline.from_pretrained(directory, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
