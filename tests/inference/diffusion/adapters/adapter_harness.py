"""A loop that draws with adapters, and diffusers' own pipelines beside it."""

from typing import Any

import diffusers
import numpy as np
import torch

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.diffusion.denoising.batcher import Turns
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.tasks.generation_task import Ticket
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference.generations import Inline, generation_of, landscape

ROOM = 4
NOTHING = Inputs()


class AdaptedLoop:
    """A loop that a test turns by hand."""

    def __init__(self, pipeline: Any, **turns: Any) -> None:
        self.pipeline = pipeline
        self.loop = DenoisingLoop(Components.of(pipeline), Turns(**{"max_bucket": ROOM} | turns))

    def admit(self, inputs: Inputs = NOTHING, **request: Any) -> Ticket:
        if inputs.image is not None:
            request["input_image"] = "s3://data/a.png"
        ticket = Ticket(generation_of(**request), inputs, lambda *_: None, messenger=Inline())
        with torch.inference_mode():
            self.loop.admit(ticket)
        return ticket

    def turn(self) -> None:
        with torch.inference_mode():
            self.loop.turn()

    def finish(self, *tickets: Ticket) -> list[bytes]:
        """The pixels of the tickets' images, one ticket after the other."""
        while self.loop.busy:
            self.turn()
        return [image.tobytes() for ticket in tickets for image in ticket.future.result(0).images]

    def draw(self, inputs: Inputs = NOTHING, **request: Any) -> bytes:
        """The pixels of the image of a request that is alone."""
        return self.finish(self.admit(inputs, **request))[0]


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
    controls = tuple(picture.rotate(90 * index) for index in range(len(files)))
    asked = zip(files, settings or ({},) * len(files), strict=True)
    return {
        "inputs": Inputs(controls=controls, adapters=Adapters(controlnets=files), **inputs),
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
