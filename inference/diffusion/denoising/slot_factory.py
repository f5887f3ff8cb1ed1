"""Creates the slots of a generation: encodes prompts and inputs, loads adapters, prepares schedulers."""

from dataclasses import replace

import torch
from PIL import Image

from contract.generation import Generation, InvalidRequestError
from contract.problem import FieldError
from contract.size import Size
from inference.diffusion.denoising.batcher import BatchKey
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.initial_latents import (
    ImageToImage,
    Inpainting,
    InpaintingUNet,
    LatentInitializer,
    TextToImage,
)
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.denoising.slot import Refinement, Slot
from inference.diffusion.denoising.slot_stages import slot_stages
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import NoiseSchedule
from inference.diffusion.prompts.conditioning import encode_prompts
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import AdapterFile


def create_slots(components: Components, task: GenerationTask) -> list[Slot]:
    """One slot for each image of the generation, ready for its first step.

    Raises:
        InvalidRequestError: the prompts are too long, the sampler does not fit the model, `refiner_start`
            does not fit the model or the steps, or the model has no VAE and the generation names none.
        AdapterUnusableError: an adapter is damaged, or was made for another model.
    """
    task.start()
    generation, inputs = task.generation, task.inputs
    _check_sampler(components, generation)
    size = inputs.size(generation)
    adapter_set = components.adapters.load(generation, inputs)
    components.adapters.activate_on_text_encoders(adapter_set.lora_weights)
    if adapter_set.merges_loras:
        task.record_fallback("merge_loras: merged into the UNet's weights, whose values are rounded")
    embeddings = (*inputs.adapters.embeddings, *adapter_set.bundled_embeddings)
    conditioning_stages = encode_prompts(
        components.prompts,
        generation,
        size,
        embeddings=embeddings,
        variant=adapter_set.lora_weights,
    )
    batch_key = BatchKey(
        *size,
        tokens=conditioning_stages[0].tokens,
        loras=adapter_set.batch_loras,
        controlnets=adapter_set.controlnet_ids,
    )
    schedule = components.schedulers.create(
        generation.sampler,
        steps=generation.steps,
        strength=generation.strength,
        until=generation.refiner_start,
        spacing=generation.timestep_spacing,
    )
    refinement = _refinement(components.refiner, task, size, batch_key, embeddings, schedule)
    stages = slot_stages(conditioning_stages, batch_key, schedule.are_within(*generation.guidance_interval))
    autoencoder = adapter_set.autoencoder(components.autoencoder)
    initializer = _initializer(components, autoencoder, task, size)
    slots = []
    for index, seed in enumerate(generation.seeds):
        generator = torch.Generator("cpu").manual_seed(seed)
        slots.append(
            Slot(
                task=task,
                index=index,
                stages=stages,
                prompt_weights=generation.prompt_weights,
                guidance_scale=generation.guidance_scale,
                guidance_rescale=generation.guidance_rescale,
                schedule=schedule,
                generator=generator,
                initial=initializer.initialize(schedule, generator),
                autoencoder=autoencoder,
                adapter_set=adapter_set,
                refinement=refinement,
            )
        )
    return slots


def _check_sampler(components: Components, generation: Generation) -> None:
    try:
        components.schedulers.check(generation.sampler)
    except ValueError as error:
        raise InvalidRequestError((FieldError(pointer="#/sampler", detail=str(error)),)) from error


def _refinement(
    refiner: Refiner | None,
    task: GenerationTask,
    size: Size,
    base: BatchKey,
    embeddings: tuple[AdapterFile, ...],
    base_schedule: NoiseSchedule,
) -> Refinement | None:
    """The refiner's part of each image; None if the generation does not use the refiner."""
    generation, start = task.generation, task.generation.refiner_start
    if start is None:
        return None
    if refiner is None:
        raise _invalid_refiner_start("this model has no refiner; leave it out")
    schedule = refiner.schedulers.create_refining(
        generation.sampler, steps=generation.steps, start=start, spacing=generation.timestep_spacing
    )
    if not len(base_schedule.timesteps):
        raise _invalid_refiner_start("leaves no steps to the base model; raise it, or strength or steps")
    if not len(schedule.timesteps):
        raise _invalid_refiner_start("leaves no steps to the refiner; lower it, or raise steps")
    stages = slot_stages(
        refiner.encode_prompts(generation, size, embeddings=embeddings),
        replace(base, loras=(), controlnets=(), refining=True),
        schedule.are_within(*generation.guidance_interval),
        first=len(base_schedule.timesteps),
    )
    return Refinement(stages, schedule)


def _invalid_refiner_start(detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer="#/refiner_start", detail=detail),))


def _initializer(
    components: Components, autoencoder: Autoencoder, task: GenerationTask, size: Size
) -> LatentInitializer:
    image, mask = task.inputs.image, task.inputs.mask
    from_noise = task.generation.strength in (None, 1)
    fallback = task.record_fallback
    if components.has_mask_channels:
        image, mask = image or Image.new("RGB", size), mask or Image.new("L", size, "white")
        return InpaintingUNet(autoencoder, image, mask, from_noise=from_noise, record_fallback=fallback)
    if image is None:
        return TextToImage(autoencoder, size)
    if mask is None:
        return ImageToImage(autoencoder, image, record_fallback=fallback)
    return Inpainting(autoencoder, image, mask, from_noise=from_noise, record_fallback=fallback)
