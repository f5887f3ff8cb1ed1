"""The denoising loop: continuous batching over the images of all running generations."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from inference.diffusion.denoising.batcher import Batch, Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.denoiser import Denoiser, NoisePredictor
from inference.diffusion.denoising.guidance import Predictions, combine_predictions
from inference.diffusion.denoising.preview import start_preview
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.denoising.slot_factory import create_slots
from inference.diffusion.denoising.solver_step import advance
from inference.diffusion.modules.side_stream import Moment, Pacer, SideStream
from inference.diffusion.tasks.failures import failing, failing_all, out_of_memory
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.tasks.invalid_output import invalid_output
from inference.engine.errors import InvalidOutputError
from inference.engine.interface import Adapters

if TYPE_CHECKING:
    from inference.diffusion.modules.autoencoder import DecodedImage

_LOGGER = logging.getLogger(__name__)


class DenoisingLoop:
    """Denoises the images of all running generations, one UNet forward pass a step.

    Generations join and leave between steps. On a GPU, prompts are encoded and images decoded on a second
    stream, beside the steps. A slot that fails fails its own generation only.
    """

    def __init__(
        self,
        components: Components,
        batcher: Batcher,
        *,
        denoiser: Denoiser | None = None,
        release_memory: Callable[[], bool] = lambda: False,
    ) -> None:
        """Starts without slots.

        Args:
            components: the loaded model.
            batcher: selects the slots of each step.
            denoiser: called in place of the UNet; None calls the UNet itself.
            release_memory: releases GPU memory that is not needed, such as that of CUDA graphs, before
                batches become smaller; False if there is none.
        """
        device = components.unet.device
        self._components = components
        self._batcher = batcher
        self._predictor = NoisePredictor(denoiser or components.unet)
        self._refining = None if components.refiner is None else NoisePredictor(components.refiner.unet)
        self._release_memory = release_memory
        self._side_stream = SideStream(device)
        self._pacer = Pacer(self._side_stream.record)
        self._joining: deque[tuple[Moment, list[Slot]]] = deque()
        self._slots: list[Slot] = []
        self._decoding: deque[tuple[Slot, DecodedImage]] = deque()

    @property
    def has_unfinished_requests(self) -> bool:
        """See `inference.diffusion.engine_thread.Worker.has_unfinished_requests`."""
        return bool(self._slots or self._joining or self._decoding)

    @property
    def has_room(self) -> bool:
        """See `inference.diffusion.engine_thread.GenerationWorker.has_room`."""
        joining = (slot for _, slots in self._joining for slot in slots)
        return sum(slot.rows for slot in (*self._slots, *joining)) < self._batcher.max_rows

    def add_request(self, task: GenerationTask) -> None:
        """Encodes the generation's prompts and inputs, and adds a slot for each of its images."""
        # adapters change modules that the steps use, so they are loaded in order with the steps
        stream = self._free_stream() if task.inputs.adapters == Adapters() else self._joined_stream()
        with failing(task), stream.running():
            slots = create_slots(self._components, task)
            self._joining.append((stream.record(), slots))
        self._components.offloading.offload()
        self._join_slots()

    def step(self) -> None:
        """Advances one batch of slots by one step, and decodes the images of the slots that it finishes."""
        self._join_slots()
        self._slots = [slot for slot in self._slots if not slot.task.done]
        if self._slots:
            self._step(self._batcher.next_batch(self._slots))
            self._pacer.end_step()
        self._complete_images(wait=not self._slots)

    def _free_stream(self) -> SideStream:
        """The side stream, unless modules are moved between uses, which happens in order with the steps."""
        return self._joined_stream() if self._components.offloading.enabled else self._side_stream

    def _joined_stream(self) -> SideStream:
        """The current stream, after what has been queued on the side stream."""
        self._side_stream.join()
        return SideStream(None)

    def _join_slots(self) -> None:
        """Adds the slots whose inputs are encoded; waits for them if there are no others."""
        while self._joining:
            encoded, slots = self._joining[0]
            if not encoded.has_passed:
                if self._slots or self._decoding:
                    return
                encoded.wait()
            self._joining.popleft()
            self._slots += slots

    def _step(self, batch: Batch[Slot]) -> None:
        predicted = self._predict(batch)
        slots = [slot for slot, _ in predicted]
        batch_sizes = [batch.size_for(slot) for slot in slots]
        with failing_all({slot.task for slot in slots}):
            combined = combine_predictions(slots, [predictions for _, predictions in predicted])
            self._start_previews(slots, combined)
            advance(slots, combined)
        refined: dict[Slot, Slot] = {}
        for slot, batch_size in zip(slots, batch_sizes, strict=True):
            slot.task.report_step(slot.total_evaluations, batch_size=batch_size)
            if not slot.finished:
                continue
            with failing(slot.task):
                if slot.refinement:
                    refined[slot] = slot.refine(slot.refinement)
                else:
                    self._start_decoding(slot)
        self._slots = [
            refined.get(slot, slot) for slot in self._slots if slot in refined or not slot.finished
        ]

    def _start_previews(self, slots: Sequence[Slot], predictions: Sequence[torch.Tensor]) -> None:
        for slot, prediction in zip(slots, predictions, strict=True):
            if slot.index or not slot.task.claim_preview():
                continue
            with failing(slot.task):
                preview = start_preview(slot, prediction)
                self._components.offloading.offload()
                if preview is not None:
                    slot.task.report_preview(preview, slot.evaluations_done + 1)

    def _start_decoding(self, slot: Slot) -> None:
        limit = self._batcher.reduced_limit(slot.batch_key)
        if limit is not None:
            slot.task.record_fallback(
                f"batch size limited to {limit // slot.max_rows}: larger batches did not fit in GPU memory"
            )
        offloading = self._components.offloading
        if offloading.enabled:
            slot.task.record_fallback("model offloading: text encoders and VAE did not fit beside the UNet")
        decoded = slot.autoencoder.decode(slot.latents, slot.task.record_fallback, self._free_stream())
        self._decoding.append((slot, decoded))
        offloading.offload()

    def _complete_images(self, *, wait: bool) -> None:
        """Hands over the images that are decoded; `wait` waits for all of them."""
        while self._decoding and (wait or self._decoding[0][1].copied.has_passed):
            slot, decoded = self._decoding.popleft()
            decoded.copied.wait()  # the GPU may still read its tensors
            if slot.task.done:
                continue
            with failing(slot.task):
                try:
                    postprocess = decoded.finish(slot.task.record_fallback)
                except InvalidOutputError as error:
                    raise invalid_output(slot.task.generation) from error
                slot.task.complete_image(slot.index, postprocess)

    def _predict(self, batch: Batch[Slot]) -> list[tuple[Slot, Predictions]]:
        """The noise predictions of the slots whose forward pass succeeded."""
        try:
            return self._run_unet(batch)
        except torch.OutOfMemoryError:
            pass  # handled below: here the error still references the tensors
        except Exception:
            _LOGGER.exception("a forward pass of %d image(s) has failed", len(batch.slots))
            return self._predict_one_by_one(batch)
        if self._decoding:
            self._complete_images(wait=True)  # their memory may be enough
            torch.cuda.empty_cache()
            return []
        released = self._release_memory()
        torch.cuda.empty_cache()
        if released:
            return []
        if self._batcher.can_reduce_limit(batch):
            _LOGGER.warning("a batch of %d samples does not fit in GPU memory", batch.rows)
            self._batcher.reduce_limit(batch)
        elif not self._components.offloading.enabled:
            _LOGGER.warning("the model and one forward pass do not fit in GPU memory together")
            self._side_stream.join()
            self._components.offloading.enable()
        else:
            for slot in batch.slots:
                slot.task.fail(out_of_memory(slot.task))
        return []

    def _predict_one_by_one(self, batch: Batch[Slot]) -> list[tuple[Slot, Predictions]]:
        """Repeats a failed forward pass for each slot alone, at the same padded size."""
        predicted = []
        for slot in batch.slots:
            with failing(slot.task):
                predicted += self._run_unet(Batch((slot,), batch.rows))
        return predicted

    def _run_unet(self, batch: Batch[Slot]) -> list[tuple[Slot, Predictions]]:
        if self._refining is not None and batch.key.refining:
            return list(zip(batch.slots, self._refining.predict(batch), strict=True))
        loras = [slot.adapter_set.lora_weights for slot in batch.slots]
        self._components.adapters.activate([loras[index] for index in batch.owners])
        return list(zip(batch.slots, self._predictor.predict(batch), strict=True))
