"""`python -m training train | evaluate | picture`."""

import argparse
import random
import sys
import time
from pathlib import Path

from diffusers import AutoencoderKL
from PIL import Image

from training.denoiser import train_denoiser
from training.evaluation import (
    CRITERIA,
    SAMPLERS,
    Report,
    draw,
    draw_and_examine,
    examination_scenes,
)
from training.model import DIRECTORY, load_model, save_model
from training.scene import COLOURS, SHAPES, all_triples, random_scene
from training.tokenizer import build_tokenizer
from training.vae import reconstruction_error, to_tensor, train_vae


def main() -> int:
    """Runs a command and gives its exit status."""
    arguments = _parser().parse_args()
    arguments.run(arguments)
    return 0


def _train(arguments: argparse.Namespace) -> None:
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(work / "tokenizer")
    if not (work / "vae").exists():
        train_vae(work, steps=arguments.vae_steps, seed=arguments.seed).save_pretrained(work / "vae")
    vae = AutoencoderKL.from_pretrained(work / "vae", local_files_only=True)
    print(f"autoencoder: mean absolute error {_autoencoder_error(vae):.4f} of the range", flush=True)
    denoiser = train_denoiser(
        work,
        vae,
        tokenizer,
        steps=arguments.steps,
        pictures=arguments.pictures,
        seed=arguments.seed,
    )
    save_model(arguments.model, vae, tokenizer, denoiser)


def _evaluate(arguments: argparse.Namespace) -> None:
    pipeline = load_model(arguments.model)
    print(f"autoencoder: mean absolute error {_autoencoder_error(pipeline.vae):.4f} of the range")
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
    train.add_argument("--vae-steps", type=int, default=4200)
    train.add_argument("--steps", type=int, default=4000)
    train.add_argument("--pictures", type=int, default=24_000)
    train.add_argument("--seed", type=int, default=1)
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="draw 200 prompts and examine the pictures")
    evaluate.set_defaults(run=_evaluate)
    picture = commands.add_parser("picture", help="draw a grid of shapes and colours")
    picture.add_argument("output", type=Path)
    picture.set_defaults(run=_picture)
    return parser


if __name__ == "__main__":
    sys.exit(main())
