"""Evaluation of the demo model: generates 200 prompts and analyses the images."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import diffusers
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image

from contract.samplers import find_sampler
from inference.input.canny import canny_edges
from training.caption import describe
from training.image_analysis import ImageAnalysis, analyse
from training.scene import POSITIONS, SIZES, Scene, all_triples, random_scene, training_triples
from training.shapes import NEW_SHAPE, SHAPES

STEPS = 20
SAMPLERS = ("euler_a", "ddim")
_PROMPTS = 200
_BATCH_SIZE = 10
_SEED = 1000

CRITERIA = ("colour", "background", "shape", "size", "position")


@dataclass(frozen=True)
class EvaluatedImage:
    """The scene of a prompt, and the analysis of the generated image."""

    scene: Scene
    analysis: ImageAnalysis

    def meets(self, criterion: str) -> bool:
        """Whether the image has the scene's value of this criterion."""
        expected: str = getattr(self.scene, criterion)
        actual: str | None = getattr(self.analysis, criterion)
        return expected == actual


@dataclass(frozen=True)
class Report:
    """Shares of the images that meet each criterion, for triples in the training set and held-out ones."""

    seen: dict[str, float]
    held_out: dict[str, float]

    @classmethod
    def of(cls, images: list[EvaluatedImage]) -> "Report":
        """The shares over these images."""
        groups = [[each for each in images if each.scene.held_out is held_out] for held_out in (False, True)]
        seen, held_out = ({name: _share(group, name) for name in CRITERIA} for group in groups)
        return cls(seen, held_out)


def evaluation_scenes() -> list[Scene]:
    """200 scenes: every held-out triple, and random ones of the training set."""
    rng = random.Random(_SEED)
    triples = list(all_triples())
    held_out = [triple for triple in triples if triple.held_out]
    others = rng.sample([triple for triple in triples if not triple.held_out], _PROMPTS - len(held_out))
    return [replace(random_scene(rng, [triple]), jitter=triple.jitter) for triple in (*held_out, *others)]


def evaluate(
    pipeline: StableDiffusionPipeline, sampler: str, scenes: list[Scene]
) -> Iterator[EvaluatedImage]:
    """Generates each scene from its plain description with seed 1000 + i, and analyses the image."""
    for start in range(0, len(scenes), _BATCH_SIZE):
        batch = scenes[start : start + _BATCH_SIZE]
        prompts = [describe(scene) for scene in batch]
        images = generate(pipeline, sampler, prompts, first_seed=_SEED + start)
        for scene, image in zip(batch, images, strict=True):
            yield EvaluatedImage(scene, analyse(image, scene.style))


def new_shape_shares(pipeline: StableDiffusionPipeline, *, count: int = 24) -> dict[str, float]:
    """Shares of generated images of the new shape that show it, its colour and its background."""
    rng = random.Random(_SEED)
    triples = [replace(triple, shape=NEW_SHAPE) for triple in rng.sample(list(all_triples()), count)]
    images = generate(pipeline, "euler_a", [describe(triple) for triple in triples], first_seed=_SEED)
    analyses = [analyse(image, shapes=(*SHAPES, NEW_SHAPE)) for image in images]
    evaluated = [EvaluatedImage(*each) for each in zip(triples, analyses, strict=True)]
    return {criterion: _share(evaluated, criterion) for criterion in ("shape", "colour", "background")}


def controlnet_shares(
    pipeline: StableDiffusionPipeline, controlnet: ControlNetModel, scale: float
) -> dict[str, float]:
    """Shares of 60 images that have the position and size of the edges, which the prompts leave out.

    Args:
        pipeline: the demo model.
        controlnet: trained on edges.
        scale: conditioning scale.
    """
    rng = random.Random(_SEED)
    triples = rng.sample(training_triples(), 12)
    scenes = [
        replace(triple, position=position, size=rng.choice(list(SIZES)))
        for triple in triples
        for position in POSITIONS
    ]
    controlled = StableDiffusionControlNetPipeline(
        **pipeline.components, controlnet=controlnet, requires_safety_checker=False
    )
    controlled.set_progress_bar_config(disable=True)
    prompts = [f"a {scene.colour} {scene.shape} on a {scene.background} background" for scene in scenes]
    images = generate(
        controlled,
        "euler_a",
        prompts,
        first_seed=_SEED,
        image=[canny_edges(scene.draw()) for scene in scenes],
        controlnet_conditioning_scale=scale,
    )
    evaluated = [EvaluatedImage(*each) for each in zip(scenes, map(analyse, images), strict=True)]
    return {criterion: _share(evaluated, criterion) for criterion in ("position", "size")}


def generate(
    pipeline: StableDiffusionPipeline, sampler: str, prompts: list[str], *, first_seed: int, **options: Any
) -> list[Image.Image]:
    """One image for each prompt, the one of prompt i with seed `first_seed` + i, in 20 steps."""
    known = find_sampler(sampler)
    pipeline.scheduler = getattr(diffusers, known.scheduler).from_config(
        pipeline.scheduler.config, **known.options
    )
    generators = [torch.Generator().manual_seed(first_seed + i) for i in range(len(prompts))]
    images: list[Image.Image] = pipeline(
        prompts, num_inference_steps=STEPS, generator=generators, **options
    ).images
    return images


def _share(images: list[EvaluatedImage], criterion: str) -> float:
    return sum(each.meets(criterion) for each in images) / len(images)
