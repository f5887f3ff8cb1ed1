"""A slot: one image's latents, scheduler and conditioning in the denoising loop."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from inference.diffusion.adapters.adapter_set import AdapterSet
from inference.diffusion.adapters.controlnets import ControlNetInput
from inference.diffusion.denoising.batcher import BatchKey
from inference.diffusion.denoising.initial_latents import InitialLatents
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import NoiseSchedule
from inference.diffusion.prompts.conditioning import Conditioning, ConditioningStage
from inference.diffusion.tasks.generation_task import GenerationTask

_MIN_ALPHA = 1e-4
"""Schedules with a terminal signal-to-noise ratio of zero begin at 0."""


@dataclass(frozen=True)
class SlotStage:
    """The conditionings of consecutive denoiser evaluations.

    Attributes:
        start: the first of these evaluations of the image.
        batch_key: slots with the same key can share a batch.
        conditionings: see `ConditioningStage`.
    """

    start: int
    batch_key: BatchKey
    conditionings: tuple[Conditioning, ...]

    @classmethod
    def all_of(cls, stages: Sequence[ConditioningStage], batch_key: BatchKey) -> "tuple[SlotStage, ...]":
        """The stages of a slot, whose batch key differs between them in the number of tokens only."""
        return tuple(
            cls(each.start, replace(batch_key, tokens=each.tokens), each.conditionings) for each in stages
        )


@dataclass(frozen=True)
class Refinement:
    """The fields of a slot that are replaced when the SDXL refiner takes over.

    Attributes:
        stages: see `Slot`.
        schedule: see `Slot`.
    """

    stages: tuple[SlotStage, ...]
    schedule: NoiseSchedule


@dataclass(eq=False)
class Slot:
    """One image that is being denoised.

    Attributes:
        task: the generation that the image belongs to.
        index: of the image in its generation.
        stages: the conditionings over all evaluations of the image, the first from 0.
        prompt_weights: of the prompts that AND joins; a single 1 without it.
        guidance_scale: scale of classifier-free guidance.
        guidance_rescale: share to which predictions with classifier-free guidance have the
            contrast of those without it.
        schedule: the slot's own scheduler and its timesteps.
        generator: the slot's own random numbers, on the CPU, so that a seed means the same on every device.
        initial: the latents to start from.
        autoencoder: decodes the final latents.
        adapter_set: the adapters in use.
        refinement: of the steps that are left to the refiner; None without a refiner.
        evaluations_before: denoiser evaluations that the image took before this slot.
    """

    task: GenerationTask
    index: int
    stages: tuple[SlotStage, ...]
    prompt_weights: tuple[float, ...]
    guidance_scale: float
    guidance_rescale: float
    schedule: NoiseSchedule
    generator: torch.Generator
    initial: InitialLatents
    autoencoder: Autoencoder
    adapter_set: AdapterSet
    refinement: Refinement | None = None
    evaluations_before: int = 0

    def __post_init__(self) -> None:
        self.latents = self.initial.latents
        self._done = 0
        accepted = signature(self.schedule.scheduler.step).parameters
        options = {"generator": self.generator, "eta": 0.0}  # eta as diffusers' pipelines set it
        self._step_options = {name: value for name, value in options.items() if name in accepted}

    @property
    def batch_key(self) -> BatchKey:
        """The batch key of the next evaluation."""
        return self._stage.batch_key

    @property
    def conditionings(self) -> tuple[Conditioning, ...]:
        """The conditionings of the next evaluation."""
        return self._stage.conditionings

    @property
    def _stage(self) -> SlotStage:
        index = bisect_right(self.stages, self.evaluations_done, key=lambda stage: stage.start)
        return self.stages[index - 1]

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations that this slot takes."""
        return len(self.schedule.timesteps)

    @property
    def total_evaluations(self) -> int:
        """Denoiser evaluations that the image takes, the refiner's included."""
        refining = len(self.refinement.schedule.timesteps) if self.refinement else 0
        return self.evaluations_before + self.evaluations + refining

    @property
    def finished(self) -> bool:
        """Whether all evaluations of this slot are done."""
        return self._done == self.evaluations

    @property
    def evaluations_done(self) -> int:
        """Denoiser evaluations of the image that are done, those before this slot included."""
        return self.evaluations_before + self._done

    @property
    def timestep(self) -> torch.Tensor:
        """The timestep of the next evaluation, ()."""
        return self.schedule.timesteps[self._done]

    @property
    def controlnet_inputs(self) -> list[tuple[ControlNetInput, float]]:
        """The ControlNet inputs of the next evaluation, with their conditioning scales."""
        inputs = self.adapter_set.controlnet_inputs
        return [(each, each.scale_at(self._done, self.evaluations)) for each in inputs]

    def model_input(self) -> torch.Tensor:
        """The UNet's sample, (1, 4 or 9, height, width). Has no side effects."""
        scaled: torch.Tensor = self.schedule.scheduler.scale_model_input(self.latents, self.timestep)
        channels = self.initial.mask_channels
        return scaled if channels is None else torch.cat([scaled, channels], dim=1)

    def step(self, predictions: tuple[torch.Tensor, ...]) -> None:
        """Takes one scheduler step.

        Args:
            predictions: the noise prediction for each conditioning, (1, 4, height, width).
        """
        scheduler = self.schedule.scheduler
        self.latents = scheduler.step(
            self._combine(predictions), self.timestep, self.latents, **self._step_options, return_dict=False
        )[0]
        self._done += 1
        if self.initial.preserved is not None:
            next_timestep = self.schedule.timestep_after(self._done)
            self.latents = self.initial.preserved.restore(self.latents, scheduler, next_timestep)

    def estimate(self, predictions: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """The final latents as the next step's predictions estimate them, (1, 4, height, width).

        With every sampler the UNet's sample is sqrt(a) * image + sqrt(1 - a) * noise, where a is the value of
        `alphas_cumprod` at the timestep. Has no side effects.

        Args:
            predictions: see `step`.
        """
        scheduler, prediction = self.schedule.scheduler, self._combine(predictions)
        sample: torch.Tensor = scheduler.scale_model_input(self.latents, self.timestep)
        alpha = float(scheduler.alphas_cumprod[round(float(self.timestep))])
        estimate: torch.Tensor
        match scheduler.config.prediction_type:
            case "sample":
                estimate = prediction
            case "v_prediction":
                estimate = sample * alpha**0.5 - prediction * (1 - alpha) ** 0.5
            case _:
                estimate = (sample - prediction * (1 - alpha) ** 0.5) / max(alpha, _MIN_ALPHA) ** 0.5
        return estimate

    def _combine(self, predictions: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Classifier-free guidance, with the weighted sum of the prompts that AND joins."""
        if len(predictions) == 1:
            return predictions[0]
        negative, *positive = predictions
        combined = self._away_from(negative, positive, max(self.guidance_scale, 1.0))
        if self.guidance_rescale:
            reference = positive[0] if len(positive) == 1 else self._away_from(negative, positive, 1.0)
            rescaled: torch.Tensor = rescale_noise_cfg(combined, reference, self.guidance_rescale)
            return rescaled
        return combined

    def _away_from(self, negative: torch.Tensor, positive: list[torch.Tensor], scale: float) -> torch.Tensor:
        combined = negative
        for weight, prediction in zip(self.prompt_weights, positive, strict=True):
            combined = combined + weight * scale * (prediction - negative)
        return combined

    def refine(self, refinement: Refinement) -> "Slot":
        """The slot that continues from these latents with the refiner, without LoRAs and ControlNets."""
        return replace(
            self,
            stages=refinement.stages,
            schedule=refinement.schedule,
            initial=replace(self.initial, latents=self.latents.contiguous()),  # as diffusers does
            adapter_set=AdapterSet(vae=self.adapter_set.vae),
            refinement=None,
            evaluations_before=self.evaluations_before + self.evaluations,
        )
