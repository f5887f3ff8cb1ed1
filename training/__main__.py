"""The demo model's commands: `python -m training train | lora | controlnet | evaluate | picture`."""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionPipeline
from PIL import Image

from training.batches import Lessons
from training.controlnet import train_controlnet
from training.denoiser import Denoiser, train_denoiser
from training.evaluation import (
    CRITERIA,
    SAMPLERS,
    Report,
    draw,
    draw_and_examine,
    examination_scenes,
    followed_shares,
    new_shape_shares,
)
from training.lora import save_lora, train_lora
from training.model import CONTROLNETS, DIRECTORY, LORAS, load_model, save_model
from training.scene import COLOURS, NEW_SHAPE, SHAPES, all_triples, random_scene, shown_triples
from training.tokenizer import build_tokenizer
from training.vae import new_vae, reconstruction_error, to_tensor, train_vae


def main() -> int:
    """Runs a command and gives its exit status."""
    arguments = _parser().parse_args()
    arguments.run(arguments)
    return 0


def _train(arguments: argparse.Namespace) -> None:
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    if arguments.start is None:
        tokenizer = build_tokenizer()
        vae, denoiser = new_vae(), Denoiser.new(tokenizer)
    else:
        start = load_model(arguments.start)
        tokenizer, vae = start.tokenizer, start.vae
        denoiser = Denoiser(start.text_encoder, start.unet)
    if arguments.vae_steps:
        train_vae(work, vae.train(), steps=arguments.vae_steps, seed=arguments.seed)
    print(f"autoencoder: mean absolute error {_autoencoder_error(vae):.4f} of the range", flush=True)
    rng = random.Random(arguments.seed)
    triples = shown_triples()
    scenes = [random_scene(rng, triples) for _ in range(arguments.pictures)]
    lessons = Lessons(vae, tokenizer, scenes, seed=arguments.seed)
    train_denoiser(work, denoiser.train(), lessons, steps=arguments.steps)
    save_model(arguments.model, vae, tokenizer, denoiser)


def _train_lora(arguments: argparse.Namespace) -> None:
    arguments.work.mkdir(parents=True, exist_ok=True)
    weights = train_lora(
        arguments.work,
        load_model(arguments.model),
        steps=arguments.steps,
        pictures=arguments.pictures,
        seed=arguments.seed,
    )
    save_lora(arguments.output, weights)


def _train_controlnet(arguments: argparse.Namespace) -> None:
    arguments.work.mkdir(parents=True, exist_ok=True)
    controlnet = train_controlnet(
        arguments.work,
        load_model(arguments.model),
        steps=arguments.steps,
        pictures=arguments.pictures,
        seed=arguments.seed,
    )
    controlnet.to(torch.float16).save_pretrained(arguments.output / "canny")


def _evaluate(arguments: argparse.Namespace) -> None:
    pipeline = load_model(arguments.model)
    print(f"autoencoder: mean absolute error {_autoencoder_error(pipeline.vae):.4f} of the range")
    print(f"one image alone: {_seconds_alone(pipeline):.2f} s, the median of five")
    print(f"\n| sampler | triples | {' | '.join(CRITERIA)} | seconds an image |")
    print(f"| --- | --- | {' | '.join('---' for _ in CRITERIA)} | --- |")
    scenes = examination_scenes()
    for sampler in SAMPLERS:
        start = time.monotonic()
        report = Report.of(list(draw_and_examine(pipeline, sampler, scenes)))
        seconds = (time.monotonic() - start) / len(scenes)
        for name, shares in (("seen", report.seen), ("held out", report.held_out)):
            cells = " | ".join(f"{shares[criterion]:.1%}" for criterion in CRITERIA)
            print(f"| {sampler} | {name} | {cells} | {seconds:.2f} |", flush=True)
    _evaluate_controlnet(pipeline)
    _evaluate_lora(pipeline)


def _evaluate_controlnet(pipeline: StableDiffusionPipeline) -> None:
    """How often a figure is where the edges have it, of which the prompts say nothing."""
    controlnet = ControlNetModel.from_pretrained(CONTROLNETS / "canny", local_files_only=True)
    print("\n| edges | place | size |\n| --- | --- | --- |")
    for name, weight in (("without", 0.0), ("with", 1.0)):
        shares = followed_shares(pipeline, controlnet, weight)
        print(f"| {name} | {shares['position']:.1%} | {shares['size']:.1%} |", flush=True)


def _evaluate_lora(pipeline: StableDiffusionPipeline) -> None:
    """How often the new shape appears, without an adapter and with each that is there."""
    print(f"\n| adapter | is a {NEW_SHAPE} | colour | background |")
    print("| --- | --- | --- | --- |")
    for name in (None, *sorted(path.name for path in LORAS.glob("*.safetensors"))):
        if name is not None:
            pipeline.load_lora_weights(LORAS, weight_name=name)
        shares = new_shape_shares(pipeline)
        cells = " | ".join(f"{shares[criterion]:.1%}" for criterion in ("shape", "colour", "background"))
        print(f"| {name or 'none'} | {cells} |", flush=True)
        if name is not None:
            pipeline.unload_lora_weights()


def _picture(arguments: argparse.Namespace) -> None:
    """A grid: every shape in every colour, on backgrounds that contrast."""
    pipeline = load_model(arguments.model)
    names = list(COLOURS)
    pictures = []
    for row, shape in enumerate(SHAPES):
        prompts = [
            f"a {colour} {shape} on a {names[(column + 3 + row % 3) % len(names)]} background"
            for column, colour in enumerate(names)
        ]
        pictures.append(draw(pipeline, "euler_a", prompts, first_seed=100 * row))
    side = pictures[0][0].width
    grid = Image.new("RGB", (side * len(names), side * len(SHAPES)))
    for row, drawn in enumerate(pictures):
        for column, picture in enumerate(drawn):
            grid.paste(picture, (column * side, row * side))
    grid.save(arguments.output)


def _seconds_alone(pipeline: StableDiffusionPipeline) -> float:
    """What one picture takes by itself, after a first one that is not counted."""
    seconds = []
    for seed in range(6):
        start = time.monotonic()
        draw(pipeline, "euler_a", ["a red circle"], first_seed=seed)
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds[1:])


def _autoencoder_error(vae: AutoencoderKL) -> float:
    rng = random.Random(4711)
    triples = list(all_triples())
    return reconstruction_error(vae, to_tensor([random_scene(rng, triples) for _ in range(128)]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--model", type=Path, default=DIRECTORY, help="the model's directory")
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train a model; an interrupted run goes on where it was")
    train.add_argument("--work", type=Path, default=Path(".local/training"), help="for the checkpoints")
    train.add_argument("--start", type=Path, help="a model to go on from, instead of from nothing")
    train.add_argument("--vae-steps", type=int, default=5700, help="0 keeps the autoencoder as it is")
    train.add_argument("--steps", type=int, default=8000)
    train.add_argument("--pictures", type=int, default=20_000)
    train.add_argument("--seed", type=int, default=1)
    train.set_defaults(run=_train)
    lora = commands.add_parser("lora", help="train the adapter that adds a shape")
    lora.add_argument("--work", type=Path, default=Path(".local/training"), help="for the checkpoint")
    lora.add_argument("--output", type=Path, default=LORAS)
    lora.add_argument("--steps", type=int, default=800)
    lora.add_argument("--pictures", type=int, default=3000)
    lora.add_argument("--seed", type=int, default=1)
    lora.set_defaults(run=_train_lora)
    controlnet = commands.add_parser("controlnet", help="train the network that makes it follow edges")
    controlnet.add_argument("--work", type=Path, default=Path(".local/training"), help="for the checkpoint")
    controlnet.add_argument("--output", type=Path, default=CONTROLNETS)
    controlnet.add_argument("--steps", type=int, default=1000)
    controlnet.add_argument("--pictures", type=int, default=4000)
    controlnet.add_argument("--seed", type=int, default=1)
    controlnet.set_defaults(run=_train_controlnet)
    evaluate = commands.add_parser("evaluate", help="draw 200 prompts and examine the pictures")
    evaluate.set_defaults(run=_evaluate)
    picture = commands.add_parser("picture", help="draw a grid of shapes and colours")
    picture.add_argument("output", type=Path)
    picture.set_defaults(run=_picture)
    return parser


if __name__ == "__main__":
    sys.exit(main())
