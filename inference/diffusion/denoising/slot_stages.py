"""The stages of a slot: its conditionings over the denoiser evaluations, which share a batch key."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference.diffusion.denoising.batcher import BatchKey
from inference.diffusion.prompts.conditioning import Conditioning, ConditioningStage


@dataclass(frozen=True)
class SlotStage:
    """The conditionings of consecutive denoiser evaluations.

    Attributes:
        start: the first of these evaluations of the image.
        batch_key: slots with the same key can share a batch.
        conditionings: see `ConditioningStage`; outside the guidance interval the prompt's alone.
    """

    start: int
    batch_key: BatchKey
    conditionings: tuple[Conditioning, ...]


def slot_stages(
    stages: Sequence[ConditioningStage], batch_key: BatchKey, guidance: Sequence[bool], *, first: int = 0
) -> tuple[SlotStage, ...]:
    """The stages of a slot, whose batch keys differ in the number of tokens only.

    Args:
        stages: the conditionings over the evaluations of the image, from 0.
        batch_key: of the slot.
        guidance: whether each evaluation of the slot lies within the guidance interval; at least one.
        first: evaluations of the image that come before.
    """
    found: list[SlotStage] = []
    previous = None
    for evaluation, has_guidance in enumerate(guidance, start=first):
        stage = stages[bisect_right(stages, evaluation, key=lambda each: each.start) - 1]
        if (stage, has_guidance) != previous:
            conditionings = stage.conditionings if has_guidance else stage.conditionings[-1:]
            found.append(SlotStage(evaluation, replace(batch_key, tokens=stage.tokens), conditionings))
        previous = (stage, has_guidance)
    return tuple(found)
