"""Commands for the demo model: `python -m training train | lora | controlnet | evaluate | grid`."""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionPipeline
from PIL import Image

from training.batches import TrainingBatches
from training.controlnet import train_controlnet
from training.denoiser import Denoiser, train_denoiser
from training.dora import save_dora
from training.evaluation import (
    CRITERIA,
    SAMPLERS,
    Report,
    controlnet_shares,
    evaluate,
    evaluation_scenes,
    generate,
    new_shape_shares,
)
from training.lora import save_lora, train_lora
from training.model import CONTROLNETS, DIRECTORY, LORAS, load_model, save_model
from training.scene import COLOURS, all_triples, random_scene, training_triples
from training.shapes import NEW_SHAPE, SHAPES
from training.tokenizer import build_tokenizer
from training.vae import new_vae, reconstruction_error, to_tensor, train_vae


def main() -> int:
    """Runs a command; returns its exit status."""
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
    _print_vae_error(vae)
    rng = random.Random(arguments.seed)
    triples = training_triples()
    scenes = [random_scene(rng, triples) for _ in range(arguments.images)]
    batches = TrainingBatches(vae, tokenizer, scenes, seed=arguments.seed)
    train_denoiser(work, denoiser.train(), batches, steps=arguments.steps)
    save_model(arguments.model, vae, tokenizer, denoiser)


def _train_lora(arguments: argparse.Namespace) -> None:
    arguments.work.mkdir(parents=True, exist_ok=True)
    weights = train_lora(
        arguments.work,
        load_model(arguments.model),
        steps=arguments.steps,
        images=arguments.images,
        seed=arguments.seed,
    )
    save_lora(arguments.output, weights)
    save_dora(arguments.output, weights, load_model(arguments.model).unet)


def _train_controlnet(arguments: argparse.Namespace) -> None:
    arguments.work.mkdir(parents=True, exist_ok=True)
    controlnet = train_controlnet(
        arguments.work,
        load_model(arguments.model),
        steps=arguments.steps,
        images=arguments.images,
        seed=arguments.seed,
    )
    controlnet.to(torch.float16).save_pretrained(arguments.output / "canny")


def _evaluate(arguments: argparse.Namespace) -> None:
    pipeline = load_model(arguments.model)
    _print_vae_error(pipeline.vae)
    print(f"one image: {_seconds_per_image(pipeline):.2f} s, median of five")
    print(f"\n| sampler | triples | {' | '.join(CRITERIA)} | seconds per image |")
    print(f"| --- | --- | {' | '.join('---' for _ in CRITERIA)} | --- |")
    scenes = evaluation_scenes()
    for sampler in SAMPLERS:
        start = time.monotonic()
        report = Report.of(list(evaluate(pipeline, sampler, scenes)))
        seconds = (time.monotonic() - start) / len(scenes)
        for name, shares in (("seen", report.seen), ("held out", report.held_out)):
            cells = " | ".join(f"{shares[criterion]:.1%}" for criterion in CRITERIA)
            print(f"| {sampler} | {name} | {cells} | {seconds:.2f} |", flush=True)
    _evaluate_controlnet(pipeline)
    _evaluate_lora(pipeline)


def _evaluate_controlnet(pipeline: StableDiffusionPipeline) -> None:
    """Prints how often a figure has the edges' position and size, which the prompts leave out."""
    controlnet = ControlNetModel.from_pretrained(CONTROLNETS / "canny", local_files_only=True)
    print("\n| edges | position | size |\n| --- | --- | --- |")
    for name, scale in (("without", 0.0), ("with", 1.0)):
        shares = controlnet_shares(pipeline, controlnet, scale)
        print(f"| {name} | {shares['position']:.1%} | {shares['size']:.1%} |", flush=True)


def _evaluate_lora(pipeline: StableDiffusionPipeline) -> None:
    """Prints how often the new shape appears, without a LoRA and with each."""
    print(f"\n| LoRA | is a {NEW_SHAPE} | colour | background |")
    print("| --- | --- | --- | --- |")
    for name in (None, *sorted(path.name for path in LORAS.glob("*.safetensors"))):
        if name is not None:
            pipeline.load_lora_weights(LORAS, weight_name=name)
        shares = new_shape_shares(pipeline)
        cells = " | ".join(f"{shares[criterion]:.1%}" for criterion in ("shape", "colour", "background"))
        print(f"| {name or 'none'} | {cells} |", flush=True)
        if name is not None:
            pipeline.unload_lora_weights()


def _grid(arguments: argparse.Namespace) -> None:
    """Saves a grid of images: every shape in every colour."""
    pipeline = load_model(arguments.model)
    names = list(COLOURS)
    rows = []
    for row, shape in enumerate(SHAPES):
        prompts = [
            f"a {colour} {shape} on a {names[(column + 3 + row % 3) % len(names)]} background"
            for column, colour in enumerate(names)
        ]
        rows.append(generate(pipeline, "euler_a", prompts, first_seed=100 * row))
    side = rows[0][0].width
    grid = Image.new("RGB", (side * len(names), side * len(SHAPES)))
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            grid.paste(image, (column * side, row * side))
    grid.save(arguments.output)


def _seconds_per_image(pipeline: StableDiffusionPipeline) -> float:
    """The median time of generating one image, after a first one for warm-up."""
    seconds = []
    for seed in range(6):
        start = time.monotonic()
        generate(pipeline, "euler_a", ["a red circle"], first_seed=seed)
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds[1:])


def _print_vae_error(vae: AutoencoderKL) -> None:
    rng = random.Random(4711)
    triples = list(all_triples())
    error = reconstruction_error(vae, to_tensor([random_scene(rng, triples) for _ in range(128)]))
    print(f"VAE: mean absolute error {error:.4f} of the range", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--model", type=Path, default=DIRECTORY, help="the model's directory")
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train the model; resumes an interrupted run")
    train.add_argument(
        "--work", type=Path, default=Path(".local/training"), help="directory of the checkpoints"
    )
    train.add_argument("--start", type=Path, help="model to start from (default: random weights)")
    train.add_argument("--vae-steps", type=int, default=5700, help="0 leaves the VAE as it is")
    train.add_argument("--steps", type=int, default=8000)
    train.add_argument("--images", type=int, default=20_000, help="size of the training set")
    train.add_argument("--seed", type=int, default=1)
    train.set_defaults(run=_train)
    lora = commands.add_parser("lora", help="train the LoRA that adds a shape")
    lora.add_argument(
        "--work", type=Path, default=Path(".local/training"), help="directory of the checkpoint"
    )
    lora.add_argument("--output", type=Path, default=LORAS)
    lora.add_argument("--steps", type=int, default=800)
    lora.add_argument("--images", type=int, default=3000, help="size of the training set")
    lora.add_argument("--seed", type=int, default=1)
    lora.set_defaults(run=_train_lora)
    controlnet = commands.add_parser("controlnet", help="train the ControlNet that follows edges")
    controlnet.add_argument(
        "--work", type=Path, default=Path(".local/training"), help="directory of the checkpoint"
    )
    controlnet.add_argument("--output", type=Path, default=CONTROLNETS)
    controlnet.add_argument("--steps", type=int, default=1000)
    controlnet.add_argument("--images", type=int, default=4000, help="size of the training set")
    controlnet.add_argument("--seed", type=int, default=1)
    controlnet.set_defaults(run=_train_controlnet)
    evaluate = commands.add_parser("evaluate", help="generate 200 prompts and analyse the images")
    evaluate.set_defaults(run=_evaluate)
    grid = commands.add_parser("grid", help="generate a grid of shapes and colours")
    grid.add_argument("output", type=Path)
    grid.set_defaults(run=_grid)
    return parser


if __name__ == "__main__":
    sys.exit(main())
