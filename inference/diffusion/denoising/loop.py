"""The loop that steps every running generation."""

import logging

import torch

from inference.diffusion.denoising.batcher import Bucket, Turns
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.denoiser import Denoise, predict
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.denoising.slot_factory import fill
from inference.diffusion.tasks.failures import answering, out_of_memory
from inference.diffusion.tasks.generation_task import Ticket

_LOGGER = logging.getLogger(__name__)
_Answered = tuple[Slot, tuple[torch.Tensor, ...]]


class DenoisingLoop:
    """Runs generations together, one forward of the UNet a turn.

    Generations join and leave between turns. What fails in a slot fails its generation alone.
    """

    def __init__(self, components: Components, turns: Turns, *, denoise: Denoise | None = None) -> None:
        """Starts with nobody to draw for.

        Args:
            components: what it draws with.
            turns: who goes next.
            denoise: what answers in place of the UNet; None is the UNet itself.
        """
        self._components = components
        self._turns = turns
        self._denoise = denoise or components.unet
        self._slots: list[Slot] = []

    @property
    def busy(self) -> bool:
        """Whether a turn has anything to do."""
        return bool(self._slots)

    def admit(self, ticket: Ticket) -> None:
        """Lets a generation in, behind those that are there."""
        with answering(ticket):
            self._slots += fill(self._components, ticket)
        self._components.offloading.rest()

    def turn(self) -> None:
        """Takes one step with one bucket, and makes the pictures of the slots that it finishes."""
        self._slots = [slot for slot in self._slots if not slot.ticket.over]
        if not self._slots:
            return
        bucket = self._turns.choose(self._slots)
        followers: dict[Slot, Slot] = {}
        for slot, predictions in self._predict(bucket):
            with answering(slot.ticket):
                slot.advance(predictions)
                slot.ticket.step(slot.evaluations_in_all, bucket=bucket.size)
                if slot.finished and slot.handover:
                    followers[slot] = slot.hand_over(slot.handover)
                elif slot.finished:
                    self._deliver(slot)
        self._slots = [
            followers.get(slot, slot) for slot in self._slots if slot in followers or not slot.finished
        ]

    def _deliver(self, slot: Slot) -> None:
        ceiling = self._turns.ceiling(slot.compatibility)
        if ceiling is not None:
            slot.ticket.concede(f"steps shared by at most {ceiling} image(s): more did not fit the memory")
        if self._components.offloading.begun:
            slot.ticket.concede("parts of the model moved off the device between uses: not all of them fit")
        develop = slot.autoencoder.decode(slot.latents, slot.ticket.concede)
        slot.ticket.deliver(slot.index, develop)
        self._components.offloading.rest()

    def _predict(self, bucket: Bucket[Slot]) -> list[_Answered]:
        """The UNet's answers to those slots for which there is one."""
        try:
            return self._ask(bucket)
        except torch.OutOfMemoryError:
            pass  # handled below: here the error still holds on to the memory
        except Exception:
            _LOGGER.exception("a step of %d image(s) has failed", len(bucket.slots))
            return self._predict_alone(bucket)
        torch.cuda.empty_cache()
        if self._turns.can_shrink(bucket):
            _LOGGER.warning("%d images at once do not fit the accelerator's memory", bucket.size)
            self._turns.shrink(bucket)
        elif not self._components.offloading.begun:
            _LOGGER.warning("the model and one step do not fit the accelerator's memory together")
            self._components.offloading.begin()
        else:
            for slot in bucket.slots:
                slot.ticket.fail(out_of_memory(slot.ticket))
        return []

    def _predict_alone(self, bucket: Bucket[Slot]) -> list[_Answered]:
        """The answers to those slots of a failed bucket that are not to blame."""
        answered = []
        for slot in bucket.slots:
            with answering(slot.ticket):
                answered += self._ask(Bucket((slot,), bucket.size))
        return answered

    def _ask(self, bucket: Bucket[Slot]) -> list[_Answered]:
        refiner = self._components.refiner
        if refiner is not None and bucket.compatibility.refining:
            return list(zip(bucket.slots, predict(refiner.unet, bucket), strict=True))
        self._components.adapters.activate(bucket.compatibility.loras)
        return list(zip(bucket.slots, predict(self._denoise, bucket), strict=True))
