"""The backend that batches by hand."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import diffusers
import pytest

from bench.pipelines import Batched
from bench.requests import requests


class Pipeline:
    """Records the prompts of its calls."""

    def __init__(self) -> None:
        self.scheduler = diffusers.EulerDiscreteScheduler()
        self.calls: list[list[str]] = []

    def disable_lora(self) -> None:
        raise ValueError("no LoRA has been loaded")

    def __call__(self, prompts: list[str], **options: Any) -> SimpleNamespace:
        if options["num_inference_steps"] == 1:
            raise RuntimeError("failed")
        assert len(options["generator"]) == len(prompts)
        self.calls.append(prompts)
        return SimpleNamespace()


def test_requests_with_the_same_settings_share_a_call_of_limited_size() -> None:
    pipeline = Pipeline()
    backend = Batched(lambda: pipeline, max_batch_size=2)
    sent = requests("the same", 4, size=64, steps=2, sampler="euler")
    others = requests("the same", 1, size=128, steps=2, sampler="euler")
    with ThreadPoolExecutor(5) as clients:
        list(clients.map(backend.generate, [*sent, *others]))
    backend.close()
    assert sorted(len(each) for each in pipeline.calls)[-1] == 2
    assert sum(len(each) for each in pipeline.calls) == 5


def test_a_failed_call_fails_its_requests_only() -> None:
    backend = Batched(Pipeline, max_batch_size=2)
    with pytest.raises(RuntimeError, match="failed"):
        backend.generate(requests("the same", 1, size=64, steps=1, sampler="euler")[0])
    backend.generate(requests("the same", 1, size=64, steps=2, sampler="euler")[0])
    backend.close()
