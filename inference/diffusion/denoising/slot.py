"""A slot: one image's latents, schedule and conditioning in the denoising loop."""

from bisect import bisect_right
from dataclasses import dataclass, replace

import torch

from inference.diffusion.adapters.adapter_set import AdapterSet
from inference.diffusion.adapters.controlnets import ControlNetInput
from inference.diffusion.denoising.batcher import BatchKey
from inference.diffusion.denoising.initial_latents import InitialLatents
from inference.diffusion.denoising.slot_stages import SlotStage
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import NoiseSchedule
from inference.diffusion.prompts.conditioning import Conditioning
from inference.diffusion.solvers.traced_steps import LATENTS, TracedStep
from inference.diffusion.tasks.generation_task import GenerationTask

_MIN_ALPHA = 1e-4
"""Schedules with a terminal signal-to-noise ratio of zero begin at 0."""


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
        stages: the conditionings over the evaluations of this slot.
        prompt_weights: of the prompts that AND joins; a single 1 without it.
        guidance_scale: scale of classifier-free guidance.
        guidance_rescale: share to which predictions with classifier-free guidance have the
            contrast of those without it.
        schedule: the timesteps, and the scheduler's arithmetic.
        generator: the slot's own random numbers, on the CPU, so that a seed means the same on every device.
        initial: the latents to start from.
        autoencoder: decodes the final latents.
        adapter_set: the adapters in use.
        refinement: of the steps that are left to the refiner; None without a refiner.
        evaluations_before: denoiser evaluations that the image took before this slot.
        registers: the tensors that the remaining steps use, by their number in `traced_step`.
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
        self.registers = self.initial.registers()
        self._done = 0
        preserves = self.initial.preserved is not None
        self._steps = self.schedule.preserving_steps if preserves else self.schedule.steps
        self._timesteps: list[float] = self.schedule.timesteps.tolist()
        self._stage = self._current_stage()

    @property
    def batch_key(self) -> BatchKey:
        """The batch key of the next evaluation."""
        return self._stage.batch_key

    @property
    def conditionings(self) -> tuple[Conditioning, ...]:
        """The conditionings of the next evaluation."""
        return self._stage.conditionings

    def _current_stage(self) -> SlotStage:
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
    def rows(self) -> int:
        """UNet samples of the next evaluation, one for each conditioning."""
        return len(self.conditionings)

    @property
    def max_rows(self) -> int:
        """The most rows of an evaluation; fewer outside the guidance interval."""
        return max(len(stage.conditionings) for stage in self.stages)

    @property
    def timestep(self) -> float:
        """The timestep of the next evaluation."""
        return self._timesteps[self._done]

    @property
    def traced_step(self) -> TracedStep:
        """The scheduler's arithmetic of the next evaluation."""
        return self._steps[self._done]

    @property
    def latents(self) -> torch.Tensor:
        """(1, 4, height, width)."""
        return self.registers[self._steps[self._done - 1].latents if self._done else LATENTS]

    @property
    def controlnet_inputs(self) -> list[tuple[ControlNetInput, float]]:
        """The ControlNet inputs of the next evaluation, with their conditioning scales."""
        inputs = self.adapter_set.controlnet_inputs
        return [(each, each.scale_at(self._done, self.evaluations)) for each in inputs]

    def complete_step(self) -> None:
        """Goes on to the next evaluation; keeps only the registers that later ones use."""
        live = self.traced_step.live
        self.registers = {register: value for register, value in self.registers.items() if register in live}
        self._done += 1
        self._stage = self._current_stage()

    def estimate(self, prediction: torch.Tensor) -> torch.Tensor:
        """The final latents as the prediction of this evaluation estimates them, (1, 4, height, width).

        With every sampler the UNet's sample is sqrt(a) * image + sqrt(1 - a) * noise, where a is the value of
        `alphas_cumprod` at the timestep.

        Args:
            prediction: combined by classifier-free guidance, (1, 4, height, width).
        """
        scheduler, sample = self.schedule.scheduler, self.registers[self.traced_step.sample]
        alpha = float(scheduler.alphas_cumprod[round(self.timestep)])
        estimate: torch.Tensor
        match scheduler.config.prediction_type:
            case "sample":
                estimate = prediction
            case "v_prediction":
                estimate = sample * alpha**0.5 - prediction * (1 - alpha) ** 0.5
            case _:
                estimate = (sample - prediction * (1 - alpha) ** 0.5) / max(alpha, _MIN_ALPHA) ** 0.5
        return estimate

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
