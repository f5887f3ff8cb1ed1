"""The denoising loop: continuous batching over the images of all running generations."""

import logging

import torch

from inference.diffusion.denoising.batcher import Batch, Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.denoiser import Denoiser, predict_noise
from inference.diffusion.denoising.preview import start_preview
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.denoising.slot_factory import create_slots
from inference.diffusion.tasks.failures import failing, out_of_memory
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.tasks.invalid_output import invalid_output
from inference.engine.errors import InvalidOutputError

_LOGGER = logging.getLogger(__name__)
_SlotPrediction = tuple[Slot, tuple[torch.Tensor, ...]]


class DenoisingLoop:
    """Denoises the images of all running generations, one UNet forward pass a step.

    Generations join and leave between steps. A slot that fails fails its own generation only.
    """

    def __init__(self, components: Components, batcher: Batcher, *, denoiser: Denoiser | None = None) -> None:
        """Starts without slots.

        Args:
            components: the loaded model.
            batcher: selects the slots of each step.
            denoiser: called in place of the UNet; None calls the UNet itself.
        """
        self._components = components
        self._batcher = batcher
        self._denoiser = denoiser or components.unet
        self._slots: list[Slot] = []

    @property
    def has_unfinished_requests(self) -> bool:
        """See `inference.diffusion.engine_thread.Worker.has_unfinished_requests`."""
        return bool(self._slots)

    def add_request(self, task: GenerationTask) -> None:
        """Encodes the generation's prompts and inputs, and appends a slot for each of its images."""
        with failing(task):
            self._slots += create_slots(self._components, task)
        self._components.offloading.offload()

    def step(self) -> None:
        """Advances one batch of slots by one step, and decodes the images of the slots that it finishes."""
        self._slots = [slot for slot in self._slots if not slot.task.done]
        if not self._slots:
            return
        batch = self._batcher.next_batch(self._slots)
        refined: dict[Slot, Slot] = {}
        for slot, predictions in self._predict(batch):
            with failing(slot.task):
                if slot.index == 0 and slot.task.claim_preview():
                    self._preview(slot, predictions)
                slot.step(predictions)
                slot.task.report_step(slot.total_evaluations, batch_size=batch.size)
                if slot.finished and slot.refinement:
                    refined[slot] = slot.refine(slot.refinement)
                elif slot.finished:
                    self._decode(slot)
        self._slots = [
            refined.get(slot, slot) for slot in self._slots if slot in refined or not slot.finished
        ]

    def _preview(self, slot: Slot, predictions: tuple[torch.Tensor, ...]) -> None:
        preview = start_preview(slot, predictions)
        self._components.offloading.offload()
        if preview is not None:
            slot.task.report_preview(preview, slot.evaluations_done + 1)

    def _decode(self, slot: Slot) -> None:
        limit = self._batcher.reduced_limit(slot.batch_key)
        if limit is not None:
            slot.task.record_fallback(
                f"batch size limited to {limit}: larger batches did not fit in GPU memory"
            )
        if self._components.offloading.enabled:
            slot.task.record_fallback("model offloading: text encoders and VAE did not fit beside the UNet")
        try:
            postprocess = slot.autoencoder.decode(slot.latents, slot.task.record_fallback)
        except InvalidOutputError as error:
            raise invalid_output(slot.task.generation) from error
        slot.task.complete_image(slot.index, postprocess)
        self._components.offloading.offload()

    def _predict(self, batch: Batch[Slot]) -> list[_SlotPrediction]:
        """The noise predictions of the slots whose forward pass succeeded."""
        try:
            return self._run_unet(batch)
        except torch.OutOfMemoryError:
            pass  # handled below: here the error still references the tensors
        except Exception:
            _LOGGER.exception("a forward pass of %d image(s) has failed", len(batch.slots))
            return self._predict_one_by_one(batch)
        torch.cuda.empty_cache()
        if self._batcher.can_reduce_limit(batch):
            _LOGGER.warning("a batch of %d does not fit in GPU memory", batch.size)
            self._batcher.reduce_limit(batch)
        elif not self._components.offloading.enabled:
            _LOGGER.warning("the model and one forward pass do not fit in GPU memory together")
            self._components.offloading.enable()
        else:
            for slot in batch.slots:
                slot.task.fail(out_of_memory(slot.task))
        return []

    def _predict_one_by_one(self, batch: Batch[Slot]) -> list[_SlotPrediction]:
        """Repeats a failed forward pass for each slot alone, at the same padded size."""
        predicted = []
        for slot in batch.slots:
            with failing(slot.task):
                predicted += self._run_unet(Batch((slot,), batch.size))
        return predicted

    def _run_unet(self, batch: Batch[Slot]) -> list[_SlotPrediction]:
        refiner = self._components.refiner
        if refiner is not None and batch.key.refining:
            return list(zip(batch.slots, predict_noise(refiner.unet, batch), strict=True))
        self._components.adapters.activate(batch.key.loras)
        return list(zip(batch.slots, predict_noise(self._denoiser, batch), strict=True))
