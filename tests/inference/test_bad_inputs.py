"""Invalid inputs through the whole handler: the error, and the requests beside and after it."""

import asyncio
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from contract.environment import ContainerEnvironment
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits, ServedModel
from contract.problem import ErrorCode, ProblemError
from contract.result import GenerationResult
from inference.artifacts.adapter_store import AdapterStore
from inference.diffusion.loader import load_engine
from inference.engine.interface import Engine
from inference.engine.model_pool import ModelPool
from tests.inference import tiny_models
from tests.inference.fake_engine import BUCKET, create_handler
from tests.inference.input.image_files import data_url, encoded, noise
from tests.inference.tiny_adapters import lora

MODELS = "models"
SIZE = 64
DEFAULTS = ModelDefaults(width=SIZE, height=SIZE, steps=2, sampler="euler")
LIMITS = ModelLimits(min_size=64, max_size=256)
UNUSABLE_MODELS = ("missing", "truncated", "malicious", "traversal")
ENVIRONMENT = ContainerEnvironment(
    model=ModelDeclaration(name="demo", defaults=DEFAULTS, limits=LIMITS),
    companions=tuple(ServedModel(name=name, defaults=DEFAULTS) for name in UNUSABLE_MODELS),
    data_bucket_name=BUCKET,
    models_bucket_name=MODELS,
)
IMAGE = noise((SIZE, SIZE))

Handle = Callable[..., list[GenerationResult | BaseException]]


class MaliciousObject:
    """Makes a directory when it is unpickled."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._directory),)


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that exists once a pickle's code has run."""
    return tmp_path_factory.mktemp("canary") / "executed"


@pytest.fixture(scope="module")
def malicious(tmp_path_factory: pytest.TempPathFactory, canary: Path) -> Path:
    path = tmp_path_factory.mktemp("pickle") / "malicious.ckpt"
    torch.save({"weight": torch.ones(2), "object": MaliciousObject(canary)}, path)
    return path


@pytest.fixture(scope="module")
def models(demo_model: Path, malicious: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The demo model, and a file for each of `UNUSABLE_MODELS`."""
    directory = tmp_path_factory.mktemp("models")
    truncated = directory / "truncated.safetensors"
    weights = (demo_model / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    truncated.write_bytes(weights[:-100])
    traversal = directory / "traversal.tar.gz"
    with tarfile.open(traversal, "w:gz") as archive:
        archive.add(demo_model / "model_index.json", "model_index.json")
        archive.add(demo_model / "model_index.json", "../outside.json")
    return {
        "demo": demo_model,
        "missing": directory / "missing",
        "truncated": truncated,
        "malicious": malicious,
        "traversal": traversal,
    }


@pytest.fixture(scope="module")
def engine(models: dict[str, Path]) -> Iterator[Engine]:
    pool = ModelPool(
        lambda name: load_engine(models[name], max_batch_size=4, fixed_batch_size=True),
        first="demo",
        weight_bytes=lambda _: 0,
    )
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def adapters(demo_model: Path, malicious: Path) -> dict[str, bytes]:
    """Unusable adapters in the models bucket, by key."""
    valid = save(lora(tiny_models.sd(demo_model)))
    return {
        "loras/sdxl.safetensors": save(lora(tiny_models.sdxl(demo_model))),
        "loras/truncated.safetensors": valid[:-100],
        "embeddings/malicious.pt": malicious.read_bytes(),
        "upscalers/malicious.pth": malicious.read_bytes(),
    }


@pytest.fixture
def handle(engine: Engine, s3: Any, adapters: dict[str, bytes], tmp_path: Path) -> Handle:
    """Handles requests concurrently."""
    s3.create_bucket(Bucket=MODELS)
    for key, body in adapters.items():
        s3.put_object(Bucket=MODELS, Key=f"adapters/{key}", Body=body)
    store = AdapterStore(s3, MODELS, tmp_path / "adapters", max_bytes=1 << 30)
    handler = create_handler(engine, s3, ENVIRONMENT, adapters=store)

    def handle(*requests: dict[str, Any]) -> list[GenerationResult | BaseException]:
        async def handle_all() -> list[GenerationResult | BaseException]:
            bodies = [json.dumps({"prompt": "a red circle", "seed": 3, **each}).encode() for each in requests]
            return await asyncio.gather(*map(handler.handle, bodies), return_exceptions=True)

        return asyncio.run(handle_all())

    return handle


def sha256_of(result: GenerationResult | BaseException) -> str | None:
    assert isinstance(result, GenerationResult), result
    return result.images[0].sha256


def with_image(image: Image.Image | bytes) -> dict[str, Any]:
    return {"input_image": data_url(image)}


def with_mask(mask: Image.Image) -> dict[str, Any]:
    return {**with_image(IMAGE), "mask_image": data_url(mask)}


INVALID_IMAGE, TOO_LARGE, FETCH_FAILED, INVALID_REQUEST, NOT_FOUND, UNUSABLE, NOT_LOADED = (
    ErrorCode.INVALID_INPUT_IMAGE,
    ErrorCode.INPUT_IMAGE_TOO_LARGE,
    ErrorCode.INPUT_FETCH_FAILED,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.ADAPTER_NOT_FOUND,
    ErrorCode.ADAPTER_UNUSABLE,
    ErrorCode.MODEL_LOAD_FAILED,
)
IMAGE_FIELD, MASK_FIELD, LORA_FIELD = "#/input_image", "#/mask_image", "#/loras/0/name"
CORRUPT = bytearray(encoded(IMAGE))
CORRUPT[len(CORRUPT) // 2] ^= 0xFF

INVALID: dict[str, tuple[dict[str, Any], ErrorCode, str | None, str]] = {
    "not an image": (with_image(b"hello"), INVALID_IMAGE, IMAGE_FIELD, "the image cannot be decoded"),
    "a corrupt image": (
        with_image(bytes(CORRUPT)),
        INVALID_IMAGE,
        IMAGE_FIELD,
        "the image cannot be decoded",
    ),
    "a truncated image": (
        with_image(encoded(IMAGE)[:-200]),
        INVALID_IMAGE,
        IMAGE_FIELD,
        "send a complete file",
    ),
    "a decompression bomb": (
        with_image(Image.new("1", (20_000, 20_000))),
        TOO_LARGE,
        IMAGE_FIELD,
        "the limit of 50,000,000 pixels",
    ),
    "an image of 20,000 x 1 pixels": (
        with_image(Image.new("L", (20_000, 1))),
        INVALID_IMAGE,
        IMAGE_FIELD,
        "do not allow this aspect ratio",
    ),
    "a missing image": (
        {"input_image": f"s3://{BUCKET}/inputs/none.png"},
        FETCH_FAILED,
        IMAGE_FIELD,
        "does not exist",
    ),
    "an image at a private address": (
        {"input_image": "https://169.254.169.254/latest"},
        FETCH_FAILED,
        IMAGE_FIELD,
        "not on the public internet",
    ),
    "a mask with another aspect ratio": (
        with_mask(Image.new("L", (64, 128), "white")),
        INVALID_IMAGE,
        MASK_FIELD,
        "input_image 64 x 64",
    ),
    "an empty mask": (with_mask(Image.new("L", (SIZE, SIZE))), INVALID_IMAGE, MASK_FIELD, "selects nothing"),
    "a canvas beyond the limits": (
        {**with_image(IMAGE), "outpaint": {"left": 256}},
        INVALID_REQUEST,
        "#/outpaint",
        "would result in a canvas",
    ),
    "a LoRA of another family": (
        {"loras": [{"name": "sdxl"}]},
        UNUSABLE,
        LORA_FIELD,
        "'sdxl' was made for another model family",
    ),
    "a truncated LoRA": (
        {"loras": [{"name": "truncated"}]},
        UNUSABLE,
        LORA_FIELD,
        "'truncated' is not a complete safetensors file",
    ),
    "a missing LoRA": ({"loras": [{"name": "moon"}]}, NOT_FOUND, LORA_FIELD, "There is no LoRA 'moon'"),
    "a malicious embedding": (
        {"embeddings": ["malicious"]},
        UNUSABLE,
        "#/embeddings/0",
        "use a .safetensors file",
    ),
    "a malicious upscaler": (
        {"upscale": {"upscaler": "malicious"}},
        UNUSABLE,
        "#/upscale/upscaler",
        "use a .safetensors file",
    ),
    "an unknown model": ({"model": "unknown"}, INVALID_REQUEST, "#/model", "serves only demo, missing,"),
    "a missing model": ({"model": "missing"}, NOT_LOADED, None, "The model 'missing' could not"),
    "a truncated model": ({"model": "truncated"}, NOT_LOADED, None, "The model 'truncated' could not"),
    "a malicious model": ({"model": "malicious"}, NOT_LOADED, None, "The model 'malicious' could not"),
    "an archive with path traversal": (
        {"model": "traversal"},
        NOT_LOADED,
        None,
        "The model 'traversal' could not",
    ),
}

LOGGED = {
    "a missing model": "missing does not exist",
    "a truncated model": "truncated.safetensors is not a complete safetensors file",
    "a malicious model": "it refers to posix.mkdir, and only tensors and plain values are read",
    "an archive with path traversal": "'../outside.json'",
}
"""Details of the service's own models, which are logged and not sent to clients."""


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_request_is_refused_and_affects_no_other(
    handle: Handle, canary: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    request, code, pointer, message = INVALID[name]
    valid = with_image(IMAGE)
    (alone,) = handle(valid)
    before, refused, after = handle(valid, request, valid)
    assert isinstance(refused, ProblemError), refused
    assert (refused.code, [each.pointer for each in refused.errors]) == (code, [pointer] if pointer else [])
    assert message in refused.detail
    (following,) = handle(valid)
    assert sha256_of(before) == sha256_of(after) == sha256_of(following) == sha256_of(alone)
    assert not canary.exists()
    assert LOGGED.get(name, "") in caplog.text


def with_exif_rotation(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif)


UNUSUAL: dict[str, tuple[Image.Image | bytes, tuple[int, int]]] = {
    "one pixel": (Image.new("RGB", (1, 1)), (64, 64)),
    "CMYK": (encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"), (64, 64)),
    "a palette": (Image.new("P", (32, 32)), (64, 64)),
    "16 bits": (Image.fromarray(np.full((32, 32), 32_768, dtype="<u2")), (64, 64)),
    "animated": (
        encoded(Image.new("L", (32, 32)), "GIF", save_all=True, append_images=[Image.new("L", (32, 32), 9)]),
        (64, 64),
    ),
    "rotated by EXIF": (with_exif_rotation(noise((128, 64))), (64, 128)),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_images_are_accepted_and_affect_no_other_request(handle: Handle, name: str) -> None:
    image, size = UNUSUAL[name]
    result, text_to_image = handle(with_image(image), {})
    assert isinstance(result, GenerationResult), result
    assert (result.images[0].width, result.images[0].height) == size
    assert sha256_of(text_to_image) == sha256_of(handle({})[0])
