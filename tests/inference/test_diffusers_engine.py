"""The engine on the demo model, on the CPU: what it does, whatever the model."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from inference import diffusers_engine
from inference.contract.generation import Generation
from inference.contract.identifiers import new_job_id
from inference.contract.model import ModelDeclaration, ModelDefaults
from inference.contract.request import JobRequest
from inference.contract.samplers import SAMPLERS
from inference.diffusers_engine import DiffusersEngine, UnsupportedModelError
from inference.engine import OutOfMemoryError
from tests.inference.conftest import Log

MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=64, height=64, steps=4, sampler="euler"))


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> DiffusersEngine:
    return DiffusersEngine.load(demo_model)


def draw(engine: DiffusersEngine, image: Image.Image | None = None, **request: Any) -> list[np.ndarray]:
    if image is not None:
        request["input_image"] = "s3://data/inputs/a.png"
    asked = JobRequest.model_validate({"prompt": "a red circle", "seed": 11, **request})
    generation = Generation.resolve(asked, MODEL, job_id=new_job_id(), seed=0)
    return [np.asarray(each) for each in engine.generate(generation, image, lambda step, total: None)]


def landscape(size: tuple[int, int] = (64, 64)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    image.paste("green", (0, size[1] // 2, *size))
    return image


@pytest.mark.parametrize("task", ["text", "image"])
@pytest.mark.parametrize("sampler", [s.name for s in SAMPLERS])
def test_every_sampler_draws_both_tasks_and_repeats_itself(
    engine: DiffusersEngine, sampler: str, task: str
) -> None:
    image = landscape() if task == "image" else None
    first, again = (draw(engine, image, sampler=sampler)[0] for _ in range(2))
    assert first.shape == (64, 64, 3)
    assert first.std() > 0
    assert np.array_equal(first, again)


def test_samplers_differ(engine: DiffusersEngine) -> None:
    drawn = {draw(engine, sampler=s.name)[0].tobytes() for s in SAMPLERS}
    assert len(drawn) == len(SAMPLERS)


def test_a_task_leaves_nothing_behind_for_the_next(engine: DiffusersEngine) -> None:
    before = draw(engine)[0]
    draw(engine, landscape(), sampler="heun", guidance_scale=0, strength=0.5)
    draw(engine, sampler="lms", count=2, width=128)
    assert np.array_equal(before, draw(engine)[0])


def test_another_seed_draws_another_picture(engine: DiffusersEngine) -> None:
    assert not np.array_equal(draw(engine)[0], draw(engine, seed=12)[0])


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpm2_a"])
@pytest.mark.parametrize("task", ["text", "image"])
def test_image_i_of_a_batch_is_the_picture_of_seed_plus_i(
    engine: DiffusersEngine, sampler: str, task: str
) -> None:
    """Up to the last bit: arithmetic differs a little between batch sizes."""
    image = landscape() if task == "image" else None
    batch = draw(engine, image, sampler=sampler, seed=20, count=3)
    for index, picture in enumerate(batch):
        alone = draw(engine, image, sampler=sampler, seed=20 + index)[0]
        assert np.abs(picture.astype(int) - alone).max() <= 1


def test_prompt_negative_prompt_and_guidance_all_count(engine: DiffusersEngine) -> None:
    pictures = [
        draw(engine)[0],
        draw(engine, prompt="a blue square")[0],
        draw(engine, negative_prompt="blue")[0],
        draw(engine, guidance_scale=3.0)[0],
        draw(engine, guidance_scale=0)[0],
    ]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_text_to_image_result_is_what_the_stock_pipeline_draws(
    engine: DiffusersEngine, demo_model: Path
) -> None:
    stock = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    stock.set_progress_bar_config(disable=True)
    image = stock(
        "a red circle",
        width=64,
        height=64,
        num_inference_steps=4,
        generator=torch.Generator("cpu").manual_seed(11),
    ).images[0]
    assert np.array_equal(draw(engine, sampler="ddim")[0], np.asarray(image))


@pytest.fixture(scope="module")
def sdxl_directory(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion XL of the smallest kind, around the demo model's tokenizer."""
    torch.manual_seed(3)
    tokenizer = CLIPTokenizer.from_pretrained(demo_model / "tokenizer", local_files_only=True)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=32,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            latent_channels=4,
            norm_num_groups=4,
        ),
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            attention_head_dim=(2, 4),
            cross_attention_dim=64,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=32 + 6 * 8,
        ),
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1),
        force_zeros_for_empty_prompt=False,
    )
    directory = tmp_path_factory.mktemp("sdxl")
    pipeline.save_pretrained(directory)
    return directory


def test_sdxl_draws_both_tasks_with_its_own_settings(sdxl_directory: Path) -> None:
    engine = DiffusersEngine.load(sdxl_directory)
    assert draw(engine, landscape())[0].shape == (64, 64, 3)
    stock = StableDiffusionXLPipeline.from_pretrained(sdxl_directory, local_files_only=True)
    stock.set_progress_bar_config(disable=True)
    image = stock(
        "a red circle",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=7.5,
        generator=torch.Generator("cpu").manual_seed(11),
    ).images[0]
    assert np.array_equal(draw(engine)[0], np.asarray(image))


def test_any_size_on_the_grid_is_drawn(engine: DiffusersEngine) -> None:
    assert draw(engine, width=72, height=104)[0].shape == (104, 72, 3)
    assert draw(engine, landscape((88, 64)))[0].shape == (64, 88, 3)


def test_a_weak_strength_stays_closer_to_the_input(engine: DiffusersEngine) -> None:
    """To the input as the autoencoder gives it back."""
    image = landscape()
    vae = engine._components["vae"]
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        returned = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0]
    untouched = ((returned.clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    far = [np.abs(draw(engine, image, steps=20, strength=s)[0] - untouched).mean() for s in (0.05, 0.3, 1.0)]
    assert far[0] < far[1] < far[2]


@pytest.mark.parametrize(("sampler", "evaluations"), [("euler", 4), ("heun", 7), ("dpm2", 7)])
def test_every_denoiser_evaluation_is_reported(
    engine: DiffusersEngine, sampler: str, evaluations: int
) -> None:
    seen: list[tuple[int, int]] = []
    generation = Generation.resolve(
        JobRequest(prompt="x", sampler=sampler), MODEL, job_id=new_job_id(), seed=1
    )
    engine.generate(generation, None, lambda step, total: seen.append((step, total)))
    assert seen == [(step, evaluations) for step in range(1, evaluations + 1)]


@pytest.mark.parametrize("prompt", ["日本の富士山 🗻", "x" * 4000, "\u0000", "<|endoftext|>"])
def test_any_prompt_is_drawn(engine: DiffusersEngine, prompt: str) -> None:
    assert draw(engine, prompt=prompt)[0].shape == (64, 64, 3)


def test_prompts_do_not_reach_the_log(engine: DiffusersEngine, capfd: pytest.CaptureFixture[str]) -> None:
    draw(engine, prompt="very secret words " * 40)
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err


def test_the_accelerators_memory_error_becomes_ours(
    engine: DiffusersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", exhausted)
    with pytest.raises(OutOfMemoryError, match=r"2 image\(s\) of this size do not fit"):
        draw(engine, count=2)


@pytest.mark.parametrize(("cuda", "bfloat16", "expected"), [
    (False, False, ("cpu", torch.float32)),
    (True, True, ("cuda", torch.bfloat16)),
    (True, False, ("cuda", torch.float16)),
])  # fmt: skip
def test_the_device_decides_the_precision(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, bfloat16: bool, expected: tuple[str, torch.dtype]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    device, dtype = diffusers_engine._placement()
    assert (device.type, dtype) == expected


@pytest.mark.parametrize("components", [("unet", "vae", "text_encoder"), ("unet",)], ids=["all", "one"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside the full ones"])
def test_fp16_weights_are_loaded_where_there_are_any(
    engine: DiffusersEngine, demo_model: Path, tmp_path: Path, components: tuple[str, ...], beside: bool
) -> None:
    """Weights of a scale of their own, so that the picture tells."""
    directory = tmp_path / "model"
    shutil.copytree(demo_model, directory)
    half = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float16, local_files_only=True)
    for name in components:
        if not beside:
            next((directory / name).glob("*.safetensors")).unlink()
        component = getattr(half, name)
        with torch.no_grad():
            next(component.parameters()).mul_(0.9)
        component.save_pretrained(directory / name, variant="fp16")
    drawn, full = draw(DiffusersEngine.load(directory))[0], draw(engine)[0]
    assert drawn.std() > 0
    assert not np.array_equal(drawn, full)


def test_the_libraries_log_as_the_container_does(engine: DiffusersEngine, log: Log) -> None:
    for library in ("diffusers", "transformers"):
        logging.getLogger(f"{library}.models").error("broken")
    assert [line["logger"] for line in log.lines] == ["diffusers.models", "transformers.models"]


def test_a_pipeline_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(
        UnsupportedModelError, match="dict is not supported; use one of StableDiffusionPipeline"
    ):
        DiffusersEngine({})


def test_a_damaged_model_is_not_loaded(demo_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(demo_model, copy)
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(OSError, match=r"no file named|not found|Error"):
        DiffusersEngine.load(copy)
