"""One image on its way from noise to picture."""

from dataclasses import dataclass, replace
from inspect import signature

import torch

from inference.diffusion.adapters.adapter_set import Adaptation
from inference.diffusion.adapters.controlnets import Control
from inference.diffusion.denoising.batcher import Compatibility
from inference.diffusion.denoising.initial_latents import Start
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import Schedule
from inference.diffusion.prompts.conditioning import Conditioning
from inference.diffusion.tasks.generation_task import Ticket


@dataclass(frozen=True)
class Handover:
    """What becomes of a slot when the refiner takes it over.

    Attributes:
        compatibility: see `Slot`.
        conditions: see `Slot`.
        schedule: see `Slot`.
    """

    compatibility: Compatibility
    conditions: tuple[Conditioning, ...]
    schedule: Schedule


@dataclass(eq=False)
class Slot:
    """An image among those that are being denoised.

    Attributes:
        ticket: the generation it belongs to.
        index: which of the generation's images it is.
        compatibility: what it must agree on with those that share its forwards.
        conditions: rows for the UNet: the negative prompt's, if there is guidance, and the prompt's.
        guidance_scale: weight of the prompt.
        schedule: its own scheduler and timesteps.
        generator: its own source of noise, on the CPU, so that a seed means the same on every device.
        start: where it begins.
        autoencoder: what makes the picture of its latents.
        adaptation: the adapters that it is drawn with.
        handover: what it becomes in the end; None becomes a picture.
        evaluated: evaluations that the image has taken before.
    """

    ticket: Ticket
    index: int
    compatibility: Compatibility
    conditions: tuple[Conditioning, ...]
    guidance_scale: float
    schedule: Schedule
    generator: torch.Generator
    start: Start
    autoencoder: Autoencoder
    adaptation: Adaptation
    handover: Handover | None = None
    evaluated: int = 0

    def __post_init__(self) -> None:
        self.latents = self.start.latents
        self._done = 0
        accepted = signature(self.schedule.scheduler.step).parameters
        wanted = {"generator": self.generator, "eta": 0.0}  # eta as diffusers' pipelines have it
        self._options = {name: value for name, value in wanted.items() if name in accepted}

    @property
    def evaluations(self) -> int:
        """Evaluations that the slot takes."""
        return len(self.schedule.timesteps)

    @property
    def evaluations_in_all(self) -> int:
        """Evaluations that the image takes, the refiner's included."""
        still = len(self.handover.schedule.timesteps) if self.handover else 0
        return self.evaluated + self.evaluations + still

    @property
    def finished(self) -> bool:
        """Whether it has taken all of its evaluations."""
        return self._done == self.evaluations

    @property
    def timestep(self) -> torch.Tensor:
        """The timestep to evaluate next, ()."""
        return self.schedule.timesteps[self._done]

    @property
    def controls(self) -> list[tuple[Control, float]]:
        """What guides the next evaluation, and how strongly."""
        return [
            (control, control.weight_at(self._done, self.evaluations)) for control in self.adaptation.controls
        ]

    def model_input(self) -> torch.Tensor:
        """What the UNet is shown, (1, 4 or 9, height, width); asking again changes nothing."""
        scaled: torch.Tensor = self.schedule.scheduler.scale_model_input(self.latents, self.timestep)
        return scaled if self.start.channels is None else torch.cat([scaled, self.start.channels], dim=1)

    def advance(self, predictions: tuple[torch.Tensor, ...]) -> None:
        """Takes a step.

        Args:
            predictions: the UNet's answer to each of the conditions, (1, 4, height, width).
        """
        prediction = predictions[-1]
        if len(predictions) == 2:
            prediction = predictions[0] + self.guidance_scale * (predictions[1] - predictions[0])
        scheduler = self.schedule.scheduler
        self.latents = scheduler.step(
            prediction, self.timestep, self.latents, **self._options, return_dict=False
        )[0]
        self._done += 1
        if self.start.repaint is not None:
            following = self.schedule.following(self._done)
            self.latents = self.start.repaint.restore(self.latents, scheduler, following)

    def hand_over(self, handover: Handover) -> "Slot":
        """The slot that goes on from these latents, at the refiner: without LoRAs and ControlNets."""
        return replace(
            self,
            compatibility=handover.compatibility,
            conditions=handover.conditions,
            schedule=handover.schedule,
            start=replace(self.start, latents=self.latents.contiguous()),  # as diffusers does
            adaptation=Adaptation(vae=self.adaptation.vae),
            handover=None,
            evaluated=self.evaluated + self.evaluations,
        )
