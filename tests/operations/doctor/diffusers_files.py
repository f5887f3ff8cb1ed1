"""A small model in the diffusers layout."""

import json

import numpy as np
from safetensors.numpy import save

WEIGHTS = save({"weight": np.ones((2, 3), np.float16)})
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "PNDMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
FILES = {
    "model_index.json": json.dumps(INDEX).encode(),
    "scheduler/scheduler_config.json": b"{}",
    "tokenizer/vocab.json": b"{}",
    "unet/diffusion_pytorch_model-00001-of-00002.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model-00002-of-00002.safetensors": WEIGHTS,
    "vae/diffusion_pytorch_model.safetensors": WEIGHTS,
}
