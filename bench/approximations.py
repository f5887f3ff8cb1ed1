"""`python -m bench.approximations`: the distance of approximate images from exact ones, and their cost."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from bench.machine import describe_machine
from bench.pipelines import load_default
from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest
from inference.diffusion.loader import create_engine
from inference.diffusion.modules.float8_linear import use_float8
from inference.engine.interface import Callbacks, Inputs
from training.caption import describe
from training.evaluation import CRITERIA, EvaluatedImage, evaluation_scenes
from training.image_analysis import analyse

_DEMO_MODEL = Path(__file__).parents[1] / "inference" / "demo_model"
_FIRST_SEED = 1000
_VISIBLE = 8
"""Levels of 255 by which a pixel differs visibly."""


@dataclass(frozen=True)
class Approximation:
    """A way to generate images.

    Attributes:
        name: describes it.
        fields: of the requests.
        float8: whether linear layers multiply in FP8.
        seed: added to the seeds.
    """

    name: str
    fields: Mapping[str, Any]
    float8: bool = False
    seed: int = 0


_EXACT = Approximation("exact", {})
_APPROXIMATIONS = (
    _EXACT,
    *(
        Approximation(f"guidance_interval {interval}", {"guidance_interval": interval})
        for interval in ([0.0, 0.8], [0.2, 0.8], [0.25, 0.75], [0.4, 0.8])
    ),
    Approximation("FP8", {}, float8=True),
    Approximation("FP8, guidance_interval [0.2, 0.8]", {"guidance_interval": [0.2, 0.8]}, float8=True),
    Approximation("exact, other seeds", {}, seed=500),
)


def main() -> int:
    """Measures, and prints the tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.approximations", description=__doc__)
    parser.add_argument("--images", type=int, default=100, help="with the demo model (default: 100)")
    parser.add_argument("--random-images", type=int, default=8, help="with random weights (default: 8)")
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    scenes = evaluation_scenes()[: arguments.images]

    def as_described(images: Sequence[Image.Image]) -> str:
        analysed = [
            EvaluatedImage(scene, analyse(image, scene.style))
            for scene, image in zip(scenes, images, strict=True)
        ]
        return f"{np.mean([all(map(each.meets, CRITERIA)) for each in analysed]):.0%}"

    print(f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, torch {torch.__version__}\n")
    prompts = [describe(scene) for scene in scenes]
    sampling = {"steps": arguments.steps, "sampler": "ddim"}
    print(f"The demo model, {len(prompts)} prompts, 128 x 128, {arguments.steps} steps, ddim:\n")
    print(_table(lambda: load_default(_DEMO_MODEL), prompts, as_described, size=128, **sampling))
    print("\nA narrow SDXL with random weights, 256 x 256:\n")
    print(_table(_narrow_sdxl, prompts[: arguments.random_images], size=256, **sampling))
    return 0


def _table(
    load: Callable[[], Any],
    prompts: Sequence[str],
    quality: Callable[[Sequence[Image.Image]], str] | None = None,
    **fields: Any,
) -> str:
    header = ["", "UNet rows", "mean difference", "visibly different pixels", "relative difference"]
    header += ["as described"] if quality else []
    lines = [f"| {' | '.join(header)} |", f"| --- |{' ---: |' * (len(header) - 1)}"]
    exact: Any = None
    exact_rows = 0
    for approximation in _APPROXIMATIONS:
        images, rows = _generate(load(), approximation, prompts, fields)
        pixels = np.stack([np.asarray(image, dtype=np.float32) for image in images])
        if approximation is _EXACT:
            exact, exact_rows = pixels, rows
        difference = pixels - exact
        cells = [
            approximation.name,
            f"{rows / exact_rows:.0%}",
            f"{np.abs(difference).mean():.2f}",
            f"{(np.abs(difference).max(axis=-1) > _VISIBLE).mean():.1%}",
            f"{np.sqrt((difference**2).mean()) / exact.std():.1%}",
            *([quality(images)] if quality else []),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _generate(
    pipeline: Any, approximation: Approximation, prompts: Sequence[str], fields: Mapping[str, Any]
) -> tuple[list[Image.Image], int]:
    """The images, and the samples of the UNet's forward passes that they took, padding included."""
    if approximation.float8:
        use_float8(pipeline.unet)
    rows: list[int] = []
    hook = pipeline.unet.register_forward_pre_hook(lambda _, arguments: rows.append(len(arguments[0])))
    engine = create_engine(pipeline, max_batch_size=4)
    model = ModelDeclaration(name="bench")
    futures = []
    for index, prompt in enumerate(prompts):
        request = {
            "prompt": prompt,
            "seed": _FIRST_SEED + approximation.seed + index,
            "width": fields["size"],
            "height": fields["size"],
            "steps": fields["steps"],
            "sampler": fields["sampler"],
            **approximation.fields,
        }
        job = JobRequest.model_validate(request)
        generation = Generation.resolve(job, model, job_id=new_job_id(), seed=0)
        futures.append(engine.submit(generation, Inputs(), Callbacks()))
    images = [image for future in futures for image in future.result().images]
    engine.close()
    hook.remove()
    return images, sum(rows)


def _narrow_sdxl() -> StableDiffusionXLPipeline:
    """SDXL with the demo model's VAE, a tenth of its width and random weights."""
    torch.manual_seed(0)
    demo = load_default(_DEMO_MODEL)
    tokenizer = CLIPTokenizer.from_pretrained(_DEMO_MODEL / "tokenizer")
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        projection_dim=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(32, 64, 128),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(1, 2, 4),
        use_linear_projection=True,
        cross_attention_dim=128,
        addition_embed_type="text_time",
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=64 + 6 * 32,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=demo.vae,
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=demo.scheduler,
    )
    pipeline.to(demo.unet.device, demo.unet.dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


if __name__ == "__main__":
    raise SystemExit(main())
