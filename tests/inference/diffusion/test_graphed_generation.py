"""Generations whose UNet is replayed: the same images as without graphs, whatever LoRAs come and go."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.loader import create_loop
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdapterHarness, with_controlnets, with_loras
from tests.inference.diffusion.modules.fake_graphs import FakeGraphs
from tests.inference.models import ldm_layout
from tests.inference.tiny_adapters import controlnet, lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")


class GraphedHarness(AdapterHarness):
    """A denoising loop with recordings that keep the UNet's weights and LoRAs of their time."""

    def __init__(self, pipeline: Any, **components: Any) -> None:
        super().__init__(pipeline)
        self.graphs = FakeGraphs(pipeline.unet)
        self.loop = _create_loop(pipeline, self.graphs, **components)


def _create_loop(pipeline: Any, graphs: FakeGraphs | None, **components: Any) -> DenoisingLoop:
    return create_loop(Components.of(pipeline, **components), Batcher(max_batch_size=4), graphs=graphs)


@pytest.mark.parametrize("model", [tiny_models.sd, tiny_models.sdxl], ids=["SD", "SDXL"])
def test_images_are_those_of_the_unet_itself_while_loras_change(
    demo_model: Path, tmp_path: Path, model: Any
) -> None:
    graphed, plain = GraphedHarness(model(demo_model)), AdapterHarness(model(demo_model))
    sun, moon = (
        write(tmp_path / f"{name}.safetensors", lora(plain.pipeline, seed=seed))
        for seed, name in enumerate(["sun", "moon"])
    )
    requests: list[dict[str, Any]] = [
        {},
        with_loras(sun),
        {},
        with_loras(sun, weights=(0.5,)),
        with_loras(moon),
        with_loras(sun, moon),
        with_loras(sun),
    ]
    for request in requests:
        assert graphed.generate(steps=5, **request) == plain.generate(steps=5, **request)
    assert graphed.graphs.recorded == 5
    assert graphed.graphs.replayed == 7 * 5 - 5 * 2


def test_batches_with_several_sets_of_loras_are_those_of_the_unet_itself(
    demo_model: Path, tmp_path: Path
) -> None:
    graphed = GraphedHarness(tiny_models.sd(demo_model), mix_loras=True)
    plain = AdapterHarness(tiny_models.sd(demo_model))
    plain.loop = _create_loop(plain.pipeline, None, mix_loras=True)
    sun, moon = (
        write(tmp_path / f"{name}.safetensors", lora(plain.pipeline, seed=seed))
        for seed, name in enumerate(["sun", "moon"])
    )
    mixes: list[list[dict[str, Any]]] = [
        [with_loras(sun), with_loras(moon)],
        [with_loras(moon), with_loras(sun, weights=(0.5,))],
        [{}, with_loras(sun)],
        [with_loras(moon, sun), {}],
        [{}, {}],
    ]
    for mix in mixes:
        images = []
        for harness in (graphed, plain):
            tasks = [harness.add_request(seed=seed, steps=5, **each) for seed, each in enumerate(mix)]
            images.append(harness.finish(*tasks))
            assert {task.future.result(0).batch_size for task in tasks} == {2}
        assert images[0] == images[1]
    assert graphed.graphs.replayed > graphed.graphs.recorded


def test_images_with_controlnets_are_those_of_the_unet_itself(demo_model: Path, tmp_path: Path) -> None:
    graphed, plain = GraphedHarness(tiny_models.sd(demo_model)), AdapterHarness(tiny_models.sd(demo_model))
    request = with_controlnets(controlnet(plain.pipeline, tmp_path / "edges"))
    size = {"width": 72, "height": 64, "steps": 5}
    assert graphed.generate(**request, **size) == plain.generate(**request, **size)
    assert graphed.graphs.replayed == 3


def test_images_of_batches_that_grow_and_shrink_are_those_of_the_unet_itself(demo_model: Path) -> None:
    graphed, plain = GraphedHarness(tiny_models.sd(demo_model)), AdapterHarness(tiny_models.sd(demo_model))
    images = []
    for harness in (graphed, plain):
        tasks = [harness.add_request(seed=1, steps=12)]
        harness.step()
        tasks += [harness.add_request(seed=2, steps=6, count=2), harness.add_request(seed=4, steps=9)]
        images.append(harness.finish(*tasks))
    assert images[0] == images[1]
    assert graphed.graphs.replayed > 0


def test_images_with_the_refiner_are_those_of_both_unets_themselves() -> None:
    base, refining = (ldm_layout.pipeline(name) for name in ("sdxl", "sdxl_refiner"))
    graphs = FakeGraphs(torch.nn.ModuleList([base.unet, refining.unet]))
    harness, images = AdapterHarness(base), []
    for recorder in (None, graphs):
        harness.loop = _create_loop(base, recorder, refiner=Refiner.of(refining))
        images.append(harness.generate(steps=10, refiner_start=0.5))
    assert images[0] == images[1]
    assert (graphs.recorded, graphs.replayed) == (2, 6)


def test_graphs_are_given_up_before_batches_become_smaller(demo_model: Path) -> None:
    graphed, plain = GraphedHarness(tiny_models.sd(demo_model)), AdapterHarness(tiny_models.sd(demo_model))
    graphed.graphs.needed = 1 << 30
    assert graphed.generate(seed=1, steps=5) == plain.generate(seed=1, steps=5)
    kept = []

    def fail_beside_graphs(*_arguments: Any) -> None:
        kept.append(graphed.graphs.kept)
        if graphed.graphs.kept:
            raise torch.OutOfMemoryError

    graphed.pipeline.unet.register_forward_pre_hook(fail_beside_graphs)
    two = {"seed": 2, "steps": 4, "count": 2}
    task = graphed.add_request(**two)
    assert graphed.finish(task) == plain.finish(plain.add_request(**two))
    assert task.future.result(0).fallbacks == ()
    assert kept == [1, 0, 0, 0, 0]
