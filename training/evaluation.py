"""Examining the demo model: two hundred prompts, drawn and looked at."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import diffusers
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image

from contract.samplers import find_sampler
from inference.input.canny import find_edges
from training.caption import describe
from training.image_analysis import Finding, examine
from training.scene import (
    NEW_SHAPE,
    POSITIONS,
    SHAPES,
    SIZES,
    Scene,
    all_triples,
    random_scene,
    shown_triples,
)

STEPS = 20
SAMPLERS = ("euler_a", "ddim")
_PROMPTS = 200
_BATCH = 10
_SEED = 1000

CRITERIA = ("colour", "background", "shape", "size", "position")


@dataclass(frozen=True)
class Drawn:
    """A scene that was asked for, what was drawn, and what was found in it."""

    scene: Scene
    image: Image.Image
    finding: Finding

    def meets(self, criterion: str) -> bool:
        """True when the picture shows what the scene says."""
        asked: str = getattr(self.scene, criterion)
        found: str | None = getattr(self.finding, criterion)
        return asked == found


@dataclass(frozen=True)
class Report:
    """Shares of pictures that meet each criterion."""

    seen: dict[str, float]
    held_out: dict[str, float]

    @classmethod
    def of(cls, drawn: list[Drawn]) -> "Report":
        """The shares, for triples that training showed and for those it never did."""
        groups = [[each for each in drawn if each.scene.held_out is kept] for kept in (False, True)]
        seen, held_out = ({name: _share(group, name) for name in CRITERIA} for group in groups)
        return cls(seen, held_out)


def examination_scenes() -> list[Scene]:
    """Two hundred scenes: every held-out triple, and others at random."""
    rng = random.Random(_SEED)
    triples = list(all_triples())
    held_out = [triple for triple in triples if triple.held_out]
    others = rng.sample([triple for triple in triples if not triple.held_out], _PROMPTS - len(held_out))
    return [replace(random_scene(rng, [triple]), jitter=triple.jitter) for triple in (*held_out, *others)]


def draw_and_examine(pipeline: StableDiffusionPipeline, sampler: str, scenes: list[Scene]) -> Iterator[Drawn]:
    """Draws each scene from its plain description at default guidance; scene i has seed 1000 + i."""
    for start in range(0, len(scenes), _BATCH):
        batch = scenes[start : start + _BATCH]
        images = draw(pipeline, sampler, [describe(scene) for scene in batch], first_seed=_SEED + start)
        for scene, image in zip(batch, images, strict=True):
            yield Drawn(scene, image, examine(image, scene.style))


def new_shape_shares(pipeline: StableDiffusionPipeline) -> dict[str, float]:
    """Shares of 24 pictures of the new shape that show it, its colour and its background."""
    rng = random.Random(_SEED)
    triples = [replace(triple, shape=NEW_SHAPE) for triple in rng.sample(list(all_triples()), 24)]
    images = draw(pipeline, "euler_a", [describe(triple) for triple in triples], first_seed=_SEED)
    findings = [examine(image, shapes=(*SHAPES, NEW_SHAPE)) for image in images]
    drawn = [Drawn(*each) for each in zip(triples, images, findings, strict=True)]
    return {criterion: _share(drawn, criterion) for criterion in ("shape", "colour", "background")}


def followed_shares(
    pipeline: StableDiffusionPipeline, controlnet: ControlNetModel, weight: float
) -> dict[str, float]:
    """Shares of 60 pictures whose figure has the edges' place and size; the prompts say neither."""
    rng = random.Random(_SEED)
    triples = rng.sample(shown_triples(), 12)
    scenes = [
        replace(triple, position=position, size=rng.choice(list(SIZES)))
        for triple in triples
        for position in POSITIONS
    ]
    guided = StableDiffusionControlNetPipeline(
        **pipeline.components, controlnet=controlnet, requires_safety_checker=False
    )
    guided.set_progress_bar_config(disable=True)
    prompts = [f"a {scene.colour} {scene.shape} on a {scene.background} background" for scene in scenes]
    images = draw(
        guided,
        "euler_a",
        prompts,
        first_seed=_SEED,
        image=[find_edges(scene.draw()) for scene in scenes],
        controlnet_conditioning_scale=weight,
    )
    drawn = [Drawn(*each) for each in zip(scenes, images, map(examine, images), strict=True)]
    return {criterion: _share(drawn, criterion) for criterion in ("position", "size")}


def draw(
    pipeline: StableDiffusionPipeline, sampler: str, prompts: list[str], *, first_seed: int, **options: Any
) -> list[Image.Image]:
    """One picture a prompt, prompt i with seed `first_seed` + i, 20 steps."""
    known = find_sampler(sampler)
    pipeline.scheduler = getattr(diffusers, known.scheduler).from_config(
        pipeline.scheduler.config, **known.options
    )
    generators = [torch.Generator().manual_seed(first_seed + i) for i in range(len(prompts))]
    drawn: list[Image.Image] = pipeline(
        prompts, num_inference_steps=STEPS, generator=generators, **options
    ).images
    return drawn


def _share(group: list[Drawn], criterion: str) -> float:
    return sum(each.meets(criterion) for each in group) / len(group)
