"""A harness that steps the denoising loop with adapters, and diffusers' own pipelines to compare with."""

from typing import Any

import diffusers
import numpy as np
import torch

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference.generations import NO_CALLBACKS, InlineExecutor, generation_of, landscape

MAX_BATCH_SIZE = 4
NO_INPUTS = Inputs()


class AdapterHarness:
    """A denoising loop that is stepped in the test's own thread."""

    def __init__(
        self, pipeline: Any, *, mix_loras: bool = False, merge_loras: bool = False, **batcher: Any
    ) -> None:
        self.pipeline = pipeline
        self.loop = DenoisingLoop(
            Components.of(pipeline, mix_loras=mix_loras, merge_loras=merge_loras),
            Batcher(**{"max_batch_size": MAX_BATCH_SIZE} | batcher),
        )

    def add_request(self, inputs: Inputs = NO_INPUTS, **request: Any) -> GenerationTask:
        if inputs.image is not None:
            request["input_image"] = "s3://data/a.png"
        task = GenerationTask(
            generation_of(**request), inputs, NO_CALLBACKS, callback_executor=InlineExecutor()
        )
        with torch.inference_mode():
            self.loop.add_request(task)
        return task

    def step(self) -> None:
        with torch.inference_mode():
            self.loop.step()

    def finish(self, *tasks: GenerationTask) -> list[bytes]:
        """Steps until no requests are left; returns the pixels of these tasks' images, task by task."""
        while self.loop.has_unfinished_requests:
            self.step()
        return [image.tobytes() for task in tasks for image in task.future.result(0).images]

    def generate(self, inputs: Inputs = NO_INPUTS, **request: Any) -> bytes:
        """The pixels of a request's image, with no other request in the loop."""
        return self.finish(self.add_request(inputs, **request))[0]


def with_loras(*files: AdapterFile, weights: tuple[float, ...] = (), **inputs: Any) -> dict[str, Any]:
    """Arguments of `AdapterHarness.add_request` for a request with LoRAs."""
    weighted = zip(files, weights or (1.0,) * len(files), strict=True)
    return {
        "inputs": Inputs(adapters=Adapters(loras=files), **inputs),
        "loras": [{"name": file.name, "weight": weight} for file, weight in weighted],
    }


def with_controlnets(
    *files: AdapterFile, settings: tuple[dict[str, float], ...] = (), **inputs: Any
) -> dict[str, Any]:
    """Arguments of `AdapterHarness.add_request` for a request with ControlNets, each with another image."""
    image = landscape((72, 64))
    control_images = tuple(image.rotate(90 * index) for index in range(len(files)))
    with_settings = zip(files, settings or ({},) * len(files), strict=True)
    return {
        "inputs": Inputs(control_images=control_images, adapters=Adapters(controlnets=files), **inputs),
        "controlnets": [
            {"type": file.name, "image": "s3://data/map.png", **options} for file, options in with_settings
        ],
    }


def generate_with_diffusers(pipeline: Any, name: str, generation: Generation, **arguments: Any) -> bytes:
    """The pixels that a diffusers pipeline of this class generates with another pipeline's components."""
    sampler = find_sampler(generation.sampler)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(
        pipeline.scheduler.config, **sampler.options
    )
    components = {**pipeline.components, "scheduler": scheduler}
    if "controlnet" in arguments:
        components["controlnet"] = arguments.pop("controlnet")
    settings = {
        key: value for key, value in pipeline.config.items() if key.startswith(("requires_s", "force"))
    }
    other = getattr(diffusers, name)(**components, **settings)
    other.set_progress_bar_config(disable=True)
    image = other(
        generation.prompt,
        negative_prompt=generation.negative_prompt or None,
        num_inference_steps=generation.steps,
        guidance_scale=generation.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(generation.seed),
        **arguments,
    ).images[0]
    return np.asarray(image).tobytes()


def check_close(image: bytes, expected: bytes) -> None:
    """Fails if pixels differ by more than rounding."""
    both = (np.frombuffer(each, np.uint8).astype(int) for each in (image, expected))
    assert np.abs(np.subtract(*both)).max() <= 1
