"""From a generation to its slots."""

from dataclasses import replace

import torch
from PIL import Image

from contract.generation import InvalidRequestError
from contract.problem import FieldError
from contract.size import Size
from inference.diffusion.denoising.batcher import Compatibility
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.initial_latents import (
    ImageToImage,
    Inpainting,
    MaskedChannels,
    Task,
    TextToImage,
)
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.denoising.slot import Handover, Slot
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import Schedule
from inference.diffusion.prompts.conditioning import encode_prompts, is_guided
from inference.diffusion.tasks.generation_task import Ticket


def fill(components: Components, ticket: Ticket) -> list[Slot]:
    """A slot for each image of the ticket's generation, ready for its first step."""
    ticket.begin()
    generation, inputs = ticket.generation, ticket.inputs
    size = inputs.size(generation)
    adaptation = components.adapters.adapt(generation, inputs)
    components.adapters.activate(adaptation.acting)
    conditions = encode_prompts(
        components.prompts,
        generation,
        size,
        embeddings=inputs.adapters.embeddings,
        variant=adaptation.acting,
    )
    compatibility = Compatibility(
        *size,
        guided=is_guided(generation),
        tokens=conditions[0].embeddings.shape[1],
        loras=adaptation.acting,
        controlnets=adaptation.controlnets,
    )
    autoencoder = adaptation.autoencoder(components.autoencoder)
    task = _task(components, autoencoder, ticket, size)
    handovers = _handovers(components.refiner, ticket, size, compatibility)
    slots = []
    for index, (seed, handover) in enumerate(zip(generation.seeds, handovers, strict=True)):
        schedule = components.schedules.fresh(
            generation.sampler,
            steps=generation.steps,
            strength=generation.strength,
            until=generation.refiner_start,
        )
        _check_shares(schedule, handover)
        generator = torch.Generator("cpu").manual_seed(seed)
        slots.append(
            Slot(
                ticket=ticket,
                index=index,
                compatibility=compatibility,
                conditions=conditions,
                guidance_scale=generation.guidance_scale,
                schedule=schedule,
                generator=generator,
                start=task.start(schedule, generator),
                autoencoder=autoencoder,
                adaptation=adaptation,
                handover=handover,
            )
        )
    return slots


def _handovers(
    refiner: Refiner | None, ticket: Ticket, size: Size, base: Compatibility
) -> list[Handover | None]:
    """What the refiner goes on with for each image, if it is asked for."""
    generation, since = ticket.generation, ticket.generation.refiner_start
    if since is None:
        return [None] * generation.count
    if refiner is None:
        raise _wrong_start("this model has no refiner; leave it out")
    conditions = refiner.conditions(generation, size, embeddings=ticket.inputs.adapters.embeddings)
    tokens = conditions[0].embeddings.shape[1]
    compatibility = replace(base, tokens=tokens, loras=(), controlnets=(), refining=True)
    return [
        Handover(
            compatibility=compatibility,
            conditions=conditions,
            schedule=refiner.schedules.rest(generation.sampler, steps=generation.steps, since=since),
        )
        for _ in generation.seeds
    ]


def _check_shares(schedule: Schedule, handover: Handover | None) -> None:
    if handover is None:
        return
    if not len(schedule.timesteps):
        raise _wrong_start("leaves no steps to the model itself; raise it, or strength or steps")
    if not len(handover.schedule.timesteps):
        raise _wrong_start("leaves no steps to the refiner; lower it, or raise steps")


def _wrong_start(detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer="#/refiner_start", detail=detail),))


def _task(components: Components, autoencoder: Autoencoder, ticket: Ticket, size: Size) -> Task:
    image, mask = ticket.inputs.image, ticket.inputs.mask
    from_noise = ticket.generation.strength in (None, 1)
    if components.looks_at_masks:
        image, mask = image or Image.new("RGB", size), mask or Image.new("L", size, "white")
        return MaskedChannels(autoencoder, image, mask, from_noise=from_noise, concede=ticket.concede)
    if image is None:
        return TextToImage(autoencoder, size)
    if mask is None:
        return ImageToImage(autoencoder, image, concede=ticket.concede)
    return Inpainting(autoencoder, image, mask, from_noise=from_noise, concede=ticket.concede)
