"""Adapters from a request to the engine."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import StableDiffusionPAGPipeline

from inference.artifacts.adapter_store import AdapterNotFoundError, AdapterStore
from inference.diffusion.loader import create_engine
from inference.engine.errors import UnsupportedTaskError
from inference.engine.interface import Adapters, Inputs
from tests.inference import tiny_models
from tests.inference.fake_engine import BUCKET, FakeEngine, create_handler
from tests.inference.generations import generation_of

pytestmark = pytest.mark.usefixtures("engine_thread_count")

NAMED = {
    "loras": [{"name": "moon"}],
    "embeddings": ["cat"],
    "vae": "soft",
    "controlnets": [{"type": "canny", "image": "s3://data/map.png"}],
}


def test_what_a_request_names_reaches_the_engine(engine: FakeEngine, s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="adapters/loras/moon.safetensors", Body=b"moon")
    handler = create_handler(
        engine, s3, adapters=AdapterStore(s3, BUCKET, tmp_path / "adapters", max_bytes=99)
    )
    asyncio.run(handler.handle(json.dumps({"prompt": "a moon", "loras": NAMED["loras"]}).encode()))
    generation, inputs = engine.calls[0]
    assert [lora.name for lora in generation.loras] == [file.name for file in inputs.adapters.loras]
    assert inputs.adapters.loras[0].path.read_bytes() == b"moon"
    asyncio.run(handler.handle(b'{"prompt": "no moon"}'))
    assert engine.calls[1][1].adapters == Adapters()


def test_what_is_not_there_never_reaches_the_engine(engine: FakeEngine, s3: Any) -> None:
    with pytest.raises(AdapterNotFoundError):
        asyncio.run(create_handler(engine, s3).handle(b'{"prompt": "a cat", "embeddings": ["cat"]}'))
    assert engine.calls == []


def test_a_model_that_takes_no_adapters_says_so_of_each(demo_model: Path) -> None:
    plain = tiny_models.sd(demo_model)
    engine = create_engine(
        StableDiffusionPAGPipeline(**plain.components, requires_safety_checker=False), max_batch_size=1
    )
    asked = engine.submit(generation_of(**NAMED), Inputs(), lambda *_: None)
    with pytest.raises(UnsupportedTaskError, match="generates from a prompt alone") as caught:
        asked.result(60)
    assert {wrong.pointer for wrong in caught.value.errors} == {f"#/{name}" for name in NAMED}
    assert engine.submit(generation_of(), Inputs(), lambda *_: None).result(60).images
    engine.close()
