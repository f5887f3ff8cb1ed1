"""This project's engine as a backend, as the container loads it or from parts of choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.generation import Generation
from contract.model import ModelDeclaration, ModelDefaults
from inference.diffusion.denoising.batcher import Batch, Batcher, padded
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.denoiser import Denoiser
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.loader import load_engine
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.interface import AdapterFile, Adapters, Callbacks, Inputs

_LORAS = Path(__file__).parents[1] / "inference" / "demo_loras"


class Engine:
    """An engine with continuous batching."""

    def __init__(self, engine: EngineThread) -> None:
        self._engine = engine

    def generate(self, generation: Generation) -> None:
        """See `bench.backends.Backend.generate`."""
        loras = tuple(_lora_file(each.name) for each in generation.active_loras)
        self._engine.submit(generation, Inputs(adapters=Adapters(loras=loras)), Callbacks()).result()

    def close(self) -> None:
        """See `bench.backends.Backend.close`."""
        self._engine.close()


def load(model: Path, *, max_batch_size: int, size: int | None = None) -> Engine:
    """The engine as the container loads it.

    Args:
        model: a diffusers directory.
        max_batch_size: images in a forward pass at most.
        size: of most images in pixels: on a GPU, kernels are selected for it; None selects none.
    """
    declaration = None
    if size is not None:
        declaration = ModelDeclaration(name="bench", defaults=ModelDefaults(width=size, height=size))
    return Engine(load_engine(model, max_batch_size=max_batch_size, warm_up_for=declaration))


def assemble(
    pipeline: Any, batcher: Batcher, *, denoiser: Denoiser | None = None, mix_loras: bool = True
) -> Engine:
    """An engine of these parts; see `DenoisingLoop` and `Components.of`."""
    components = Components.of(pipeline, mix_loras=mix_loras)
    loop = DenoisingLoop(components, batcher, denoiser=denoiser)
    return Engine(EngineThread(loop, UpscalingLoop(pipeline.device)))


@dataclass
class Rows:
    """The rows of forward passes.

    Attributes:
        forward_passes: so far.
        images: in all of them together.
        rows: in all of them together, padding included.
        padding: in all of them together.
    """

    forward_passes: int = 0
    images: int = 0
    rows: int = 0
    padding: int = 0

    def add(self, batch: Batch[Slot]) -> None:
        """Counts a forward pass."""
        self.forward_passes += 1
        self.images += len(batch.slots)
        self.rows += batch.rows
        self.padding += batch.rows - sum(slot.rows for slot in batch.slots)


class RecordingBatcher(Batcher):
    """Counts the rows of its batches.

    Attributes:
        counted: the rows so far.
    """

    def __init__(self, **options: Any) -> None:
        """Takes the options of `Batcher`."""
        super().__init__(**options)
        self.counted = Rows()

    def next_batch(self, slots: Sequence[Any]) -> Batch[Any]:
        """See `Batcher.next_batch`."""
        batch = super().next_batch(slots)
        self.counted.add(batch)
        return batch


class ImageBatcher(RecordingBatcher):
    """Counts images instead of rows, which are padded to a power of two.

    Images with and without classifier-free guidance do not share a batch.
    """

    def next_batch(self, slots: Sequence[Any]) -> Batch[Any]:
        """See `Batcher.next_batch`."""
        rows = slots[0].rows
        batch = Batcher.next_batch(self, [slot for slot in slots if slot.rows == rows])
        images = 1 << (len(batch.slots) - 1).bit_length()
        batch = Batch(batch.slots, max(images * rows, batch.rows))
        self.counted.add(batch)
        return batch


def padding_when_evenly_spread(*, max_batch_size: int, rows_per_image: int = 2) -> float:
    """The share of padding if batches of 1 to `max_batch_size` images are equally frequent."""
    given = [images * rows_per_image for images in range(1, max_batch_size + 1)]
    total = sum(padded(rows) for rows in given)
    return 1 - sum(given) / total


def _lora_file(name: str) -> AdapterFile:
    return AdapterFile(name, _LORAS / f"{name}.safetensors", version="1")
