"""Adapters that a request names: passed to the engine, missing, or unsupported by the model."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import StableDiffusionPAGPipeline

from inference.artifacts.adapter_store import AdapterNotFoundError, AdapterStore
from inference.diffusion.loader import create_engine
from inference.engine.errors import UnsupportedTaskError
from inference.engine.interface import Adapters, Callbacks, Inputs
from tests.inference import tiny_models
from tests.inference.fake_engine import BUCKET, FakeEngine, create_handler
from tests.inference.generations import generate, generation_of
from tests.waiting import LIMIT_S

ADAPTER_FIELDS = {
    "loras": [{"name": "moon"}],
    "embeddings": ["cat"],
    "vae": "soft",
    "controlnets": [{"type": "canny", "image": "s3://data/map.png"}],
}


def test_the_adapters_of_a_request_are_passed_to_the_engine(
    engine: FakeEngine, s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key="adapters/loras/moon.safetensors", Body=b"moon")
    store = AdapterStore(s3, BUCKET, tmp_path / "adapters", max_bytes=99)
    handler = create_handler(engine, s3, adapters=store)
    request = {"prompt": "a moon", "loras": ADAPTER_FIELDS["loras"]}
    asyncio.run(handler.handle(json.dumps(request).encode()))
    generation, inputs = engine.calls[0]
    assert [lora.name for lora in generation.loras] == [file.name for file in inputs.adapters.loras]
    assert inputs.adapters.loras[0].path.read_bytes() == b"moon"
    asyncio.run(handler.handle(b'{"prompt": "no moon"}'))
    assert engine.calls[1][1].adapters == Adapters()


def test_a_missing_adapter_is_refused_before_the_engine_is_called(engine: FakeEngine, s3: Any) -> None:
    with pytest.raises(AdapterNotFoundError):
        asyncio.run(create_handler(engine, s3).handle(b'{"prompt": "a cat", "embeddings": ["cat"]}'))
    assert engine.calls == []


def test_a_model_without_adapter_support_refuses_each_adapter_field(demo_model: Path) -> None:
    plain = tiny_models.sd(demo_model)
    engine = create_engine(
        StableDiffusionPAGPipeline(**plain.components, requires_safety_checker=False), max_batch_size=1
    )
    future = engine.submit(generation_of(**ADAPTER_FIELDS), Inputs(), Callbacks())
    with pytest.raises(UnsupportedTaskError, match="generates from a prompt alone") as caught:
        future.result(LIMIT_S)
    assert {error.pointer for error in caught.value.errors} == {f"#/{name}" for name in ADAPTER_FIELDS}
    assert generate(engine)
    engine.close()
