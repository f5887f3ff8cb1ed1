"""Loading an engine from files: weight variants, damaged and unsupported models, library logs."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMPipeline, DDPMScheduler, StableDiffusionPipeline

from inference.diffusion.diffusers_pipeline import UnsupportedModelError
from inference.diffusion.loader import create_engine, load_engine
from inference.engine.interface import Engine
from inference.models.errors import UnusableModelError
from tests.inference.conftest import Log
from tests.inference.generations import MODEL, generate


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=1)
    yield engine
    engine.close()


@pytest.mark.parametrize("components", [("unet", "vae", "text_encoder"), ("unet",)], ids=["all", "unet"])
@pytest.mark.parametrize("full", [False, True], ids=["fp16 only", "fp16 and full precision"])
def test_fp16_weights_are_preferred(
    engine: Engine, demo_model: Path, tmp_path: Path, components: tuple[str, ...], full: bool
) -> None:
    """The fp16 weights are scaled, so that the image shows which ones were loaded."""
    directory = tmp_path / "model"
    shutil.copytree(demo_model, directory)
    pipeline = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float16, local_files_only=True)
    for name in components:
        if not full:
            next((directory / name).glob("*.safetensors")).unlink()
        component = getattr(pipeline, name)
        with torch.no_grad():
            next(component.parameters()).mul_(0.9)
        component.save_pretrained(directory / name, variant="fp16")
    fp16 = load_engine(directory, max_batch_size=1)
    image = generate(fp16)[0]
    fp16.close()
    assert image.std() > 0
    assert not np.array_equal(image, generate(engine)[0])


def test_nothing_is_selected_or_warmed_up_without_a_gpu(demo_model: Path, log: Log) -> None:
    load_engine(demo_model, max_batch_size=1, warm_up_for=MODEL).close()
    assert log.lines == []


def test_library_logs_have_the_containers_format(engine: Engine, log: Log) -> None:
    for library in ("diffusers", "transformers"):
        logging.getLogger(f"{library}.models").error("broken")
    assert [line["logger"] for line in log.lines] == ["diffusers.models", "transformers.models"]


def test_a_pipeline_that_is_not_text_to_image_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="DDPMPipeline is not a text-to-image pipeline"):
        create_engine(DDPMPipeline(unet=None, scheduler=DDPMScheduler()), max_batch_size=8)


def test_a_model_without_unet_weights_is_refused(demo_model: Path, tmp_path: Path) -> None:
    incomplete = tmp_path / "model"
    shutil.copytree(demo_model, incomplete)
    (incomplete / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(UnusableModelError, match="unet has no safetensors weights"):
        load_engine(incomplete, max_batch_size=8)
