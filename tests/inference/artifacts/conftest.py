from typing import Any

import pytest

from tests.inference.artifacts.adapter_bucket import MODELS, put

OBJECTS = {
    "loras/moon.safetensors": b"moon",
    "loras/moon-kohya.safetensors": b"kohya",
    "loras/moon.v2.safetensors": b"v2",
    "loras/notes.txt": b"no LoRA",
    "embeddings/cat.pt": b"cat",
    "embeddings/dog.pt": b"old dog",
    "embeddings/dog.safetensors": b"dog",
    "controlnets/canny/config.json": b"{}",
    "controlnets/canny/diffusion_pytorch_model.safetensors": b"canny",
    "vaes/soft/config.json": b"{soft}",
    "vaes/sharp.safetensors": b"sharp",
    "upscalers/twice.pth": b"twice",
}


@pytest.fixture
def bucket(s3: Any) -> Any:
    """A client of an S3 whose bucket `MODELS` has adapters of every kind."""
    s3.create_bucket(Bucket=MODELS)
    for key, body in OBJECTS.items():
        put(s3, key, body)
    return s3
