"""Bad input, from the request to the answer: refused in words, beside good requests and before the next."""

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
SPOILT = ("missing", "truncated", "malicious", "climbing")
ENVIRONMENT = ContainerEnvironment(
    model=ModelDeclaration(name="demo", defaults=DEFAULTS, limits=LIMITS),
    companions=tuple(ServedModel(name=name, defaults=DEFAULTS) for name in SPOILT),
    data_bucket_name=BUCKET,
    models_bucket_name=MODELS,
)
PICTURE = noise((SIZE, SIZE))

Handle = Callable[..., list[GenerationResult | BaseException]]


class Malice:
    """Makes a directory when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self._evidence = evidence

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._evidence),)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is there once a pickle's code has run."""
    return tmp_path_factory.mktemp("evidence") / "executed"


@pytest.fixture(scope="module")
def malicious(tmp_path_factory: pytest.TempPathFactory, evidence: Path) -> Path:
    path = tmp_path_factory.mktemp("pickle") / "malicious.ckpt"
    torch.save({"weight": torch.ones(2), "more": Malice(evidence)}, path)
    return path


@pytest.fixture(scope="module")
def models(demo_model: Path, malicious: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The model, and the companions, all of them spoilt."""
    home = tmp_path_factory.mktemp("models")
    truncated = home / "truncated.safetensors"
    weights = (demo_model / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    truncated.write_bytes(weights[:-100])
    climbing = home / "climbing.tar.gz"
    with tarfile.open(climbing, "w:gz") as archive:
        archive.add(demo_model / "model_index.json", "model_index.json")
        archive.add(demo_model / "model_index.json", "../climbed.json")
    return {
        "demo": demo_model,
        "missing": home / "missing",
        "truncated": truncated,
        "malicious": malicious,
        "climbing": climbing,
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
    """What lies in the models bucket, all of it spoilt."""
    whole = save(lora(tiny_models.sd(demo_model)))
    return {
        "loras/foreign.safetensors": save(lora(tiny_models.sdxl(demo_model))),
        "loras/truncated.safetensors": whole[:-100],
        "embeddings/malicious.pt": malicious.read_bytes(),
        "upscalers/malicious.pth": malicious.read_bytes(),
    }


@pytest.fixture
def handle(engine: Engine, s3: Any, adapters: dict[str, bytes], tmp_path: Path) -> Handle:
    """Serves requests at once."""
    s3.create_bucket(Bucket=MODELS)
    for key, body in adapters.items():
        s3.put_object(Bucket=MODELS, Key=f"adapters/{key}", Body=body)
    store = AdapterStore(s3, MODELS, tmp_path / "adapters", max_bytes=1 << 30)
    handler = create_handler(engine, s3, ENVIRONMENT, adapters=store)

    def handle(*requests: dict[str, Any]) -> list[GenerationResult | BaseException]:
        async def all_at_once() -> list[GenerationResult | BaseException]:
            bodies = [json.dumps({"prompt": "a red circle", "seed": 3, **each}).encode() for each in requests]
            return await asyncio.gather(*map(handler.handle, bodies), return_exceptions=True)

        return asyncio.run(all_at_once())

    return handle


def sha256_of(result: GenerationResult | BaseException) -> str | None:
    assert isinstance(result, GenerationResult), result
    return result.images[0].sha256


def picture(image: Image.Image | bytes) -> dict[str, Any]:
    return {"input_image": data_url(image)}


def with_mask(mask: Image.Image) -> dict[str, Any]:
    return {**picture(PICTURE), "mask_image": data_url(mask)}


INVALID, TOO_LARGE, OUT_OF_REACH, NOT_VALID, NOT_FOUND, UNUSABLE, NOT_LOADED = (
    ErrorCode.INVALID_INPUT_IMAGE,
    ErrorCode.INPUT_IMAGE_TOO_LARGE,
    ErrorCode.INPUT_FETCH_FAILED,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.ADAPTER_NOT_FOUND,
    ErrorCode.ADAPTER_UNUSABLE,
    ErrorCode.MODEL_LOAD_FAILED,
)
IMAGE, MASK, LORA = "#/input_image", "#/mask_image", "#/loras/0/name"
DAMAGED = bytearray(encoded(PICTURE))
DAMAGED[len(DAMAGED) // 2] ^= 0xFF

BAD: dict[str, tuple[dict[str, Any], ErrorCode, str | None, str]] = {
    "no picture": (picture(b"hello"), INVALID, IMAGE, "the image cannot be decoded"),
    "a corrupt picture": (picture(bytes(DAMAGED)), INVALID, IMAGE, "the image cannot be decoded"),
    "a truncated picture": (picture(encoded(PICTURE)[:-200]), INVALID, IMAGE, "send a whole file"),
    "a decompression bomb": (
        picture(Image.new("1", (20_000, 20_000))), TOO_LARGE, IMAGE, "the limit of 50,000,000 pixels"
    ),
    "a picture of 20,000 by 1 pixels": (
        picture(Image.new("L", (20_000, 1))), INVALID, IMAGE, "a shape that does not fit"
    ),
    "a picture that is not there": (
        {"input_image": f"s3://{BUCKET}/inputs/none.png"}, OUT_OF_REACH, IMAGE, "does not exist"
    ),
    "a picture of a private address": (
        {"input_image": "https://169.254.169.254/latest"}, OUT_OF_REACH, IMAGE, "not on the public internet"
    ),
    "a mask of another shape": (
        with_mask(Image.new("L", (64, 128), "white")), INVALID, MASK, "input_image 64 x 64"
    ),
    "a mask of nothing": (with_mask(Image.new("L", (SIZE, SIZE))), INVALID, MASK, "selects nothing"),
    "a canvas beyond the limits": (
        {**picture(PICTURE), "outpaint": {"left": 256}}, NOT_VALID, "#/outpaint", "would result in a canvas"
    ),
    "a LoRA of another family": (
        {"loras": [{"name": "foreign"}]}, UNUSABLE, LORA, "The LoRA 'foreign' is made for another family"
    ),
    "a truncated LoRA": (
        {"loras": [{"name": "truncated"}]}, UNUSABLE, LORA, "'truncated' is no whole safetensors file"
    ),
    "a LoRA that is not there": ({"loras": [{"name": "moon"}]}, NOT_FOUND, LORA, "There is no LoRA 'moon'"),
    "a malicious embedding": (
        {"embeddings": ["malicious"]}, UNUSABLE, "#/embeddings/0", "would run code of its own"
    ),
    "a malicious upscaler": (
        {"upscale": {"upscaler": "malicious"}}, UNUSABLE, "#/upscale/upscaler", "holds code beside"
    ),
    "a model that nobody has declared": ({"model": "unknown"}, NOT_VALID, "#/model", "serves demo, missing,"),
    "a model that is missing": ({"model": "missing"}, NOT_LOADED, None, "The model 'missing' could not"),
    "a truncated model": ({"model": "truncated"}, NOT_LOADED, None, "The model 'truncated' could not"),
    "a malicious model": ({"model": "malicious"}, NOT_LOADED, None, "The model 'malicious' could not"),
    "an archive that climbs out": ({"model": "climbing"}, NOT_LOADED, None, "The model 'climbing' could not"),
}  # fmt: skip

LOGGED = {
    "a model that is missing": "missing does not exist; name a diffusers directory",
    "a truncated model": "truncated.safetensors is not a whole safetensors file",
    "a malicious model": "malicious.ckpt is dangerous, and was not read: it would call posix.mkdir",
    "an archive that climbs out": "the member '../climbed.json' is a device, or would lie or point outside",
}
"""What clients are not told of the service's own models."""


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_refused_in_words_and_harms_neither_its_neighbours_nor_the_next_request(
    handle: Handle, evidence: Path, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    request, code, pointer, words = BAD[bad]
    good = picture(PICTURE)
    (alone,) = handle(good)
    before, refused, after = handle(good, request, good)
    assert isinstance(refused, ProblemError), refused
    assert (refused.code, [each.pointer for each in refused.errors]) == (code, [pointer] if pointer else [])
    assert words in refused.detail
    (following,) = handle(good)
    assert sha256_of(before) == sha256_of(after) == sha256_of(following) == sha256_of(alone)
    assert not evidence.exists()
    assert LOGGED.get(bad, "") in caplog.text


def turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif)


ODD: dict[str, tuple[Image.Image | bytes, tuple[int, int]]] = {
    "one pixel": (Image.new("RGB", (1, 1)), (64, 64)),
    "CMYK": (encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"), (64, 64)),
    "a palette": (Image.new("P", (32, 32)), (64, 64)),
    "sixteen bits": (Image.fromarray(np.full((32, 32), 32_768, dtype="<u2")), (64, 64)),
    "animated": (
        encoded(Image.new("L", (32, 32)), "GIF", save_all=True, append_images=[Image.new("L", (32, 32), 9)]),
        (64, 64),
    ),
    "turned by the camera": (turned(noise((128, 64))), (64, 128)),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_pictures_are_drawn_from_beside_others(handle: Handle, odd: str) -> None:
    image, size = ODD[odd]
    drawn, plain = handle(picture(image), {})
    assert isinstance(drawn, GenerationResult), drawn
    assert (drawn.images[0].width, drawn.images[0].height) == size
    assert sha256_of(plain) == sha256_of(handle({})[0])
