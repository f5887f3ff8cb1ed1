"""A loop that draws with adapters, and diffusers' own pipelines beside it."""

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
from tests.inference.generations import InlineExecutor, generation_of, landscape

ROOM = 4
NOTHING = Inputs()


class AdaptedLoop:
    """A loop that a test turns by hand."""

    def __init__(self, pipeline: Any, **batcher: Any) -> None:
        self.pipeline = pipeline
        self.loop = DenoisingLoop(Components.of(pipeline), Batcher(**{"max_batch_size": ROOM} | batcher))

    def add_request(self, inputs: Inputs = NOTHING, **request: Any) -> GenerationTask:
        if inputs.image is not None:
            request["input_image"] = "s3://data/a.png"
        task = GenerationTask(
            generation_of(**request), inputs, lambda *_: None, callback_executor=InlineExecutor()
        )
        with torch.inference_mode():
            self.loop.add_request(task)
        return task

    def step(self) -> None:
        with torch.inference_mode():
            self.loop.step()

    def finish(self, *tasks: GenerationTask) -> list[bytes]:
        """The pixels of the tasks' images, one task after the other."""
        while self.loop.has_unfinished_requests:
            self.step()
        return [image.tobytes() for task in tasks for image in task.future.result(0).images]

    def draw(self, inputs: Inputs = NOTHING, **request: Any) -> bytes:
        """The pixels of the image of a request that is alone."""
        return self.finish(self.add_request(inputs, **request))[0]


def with_loras(*files: AdapterFile, weights: tuple[float, ...] = (), **inputs: Any) -> dict[str, Any]:
    """What to ask for LoRAs with."""
    weighted = zip(files, weights or (1.0,) * len(files), strict=True)
    return {
        "inputs": Inputs(adapters=Adapters(loras=files), **inputs),
        "loras": [{"name": file.name, "weight": weight} for file, weight in weighted],
    }


def with_controlnets(
    *files: AdapterFile, settings: tuple[dict[str, float], ...] = (), **inputs: Any
) -> dict[str, Any]:
    """What to ask for ControlNets with: each is shown another map."""
    picture = landscape((72, 64))
    control_images = tuple(picture.rotate(90 * index) for index in range(len(files)))
    asked = zip(files, settings or ({},) * len(files), strict=True)
    return {
        "inputs": Inputs(control_images=control_images, adapters=Adapters(controlnets=files), **inputs),
        "controlnets": [{"type": file.name, "image": "s3://data/map.png", **more} for file, more in asked],
    }


def stock(pipeline: Any, name: str, generation: Generation, **arguments: Any) -> bytes:
    """The pixels that a pipeline of diffusers draws with another's parts."""
    sampler = find_sampler(generation.sampler)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(
        pipeline.scheduler.config, **sampler.options
    )
    parts = {**pipeline.components, "scheduler": scheduler}
    if "controlnet" in arguments:
        parts["controlnet"] = arguments.pop("controlnet")
    settings = {
        key: value for key, value in pipeline.config.items() if key.startswith(("requires_s", "force"))
    }
    other = getattr(diffusers, name)(**parts, **settings)
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
