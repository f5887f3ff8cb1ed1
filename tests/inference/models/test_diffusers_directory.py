import shutil
from pathlib import Path

import pytest

from inference.models.diffusers_directory import directory_components
from inference.models.errors import UnusableModelError
from inference.models.loading import load_pipeline
from tests.inference.models.hostile_files import limited_memory
from tests.inference.models.json_files import edit


def test_the_safety_checker_is_not_loaded(model: Path) -> None:
    edit(
        model / "model_index.json",
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        feature_extractor=["transformers", "CLIPImageProcessor"],
        requires_safety_checker=True,
    )
    pipeline = load_pipeline(model)
    assert pipeline.safety_checker is None
    assert pipeline.feature_extractor is None


def test_another_kind_of_pipeline_has_no_components(model: Path) -> None:
    edit(model / "model_index.json", _class_name="StableDiffusionPAGPipeline")
    assert directory_components(model) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unet", r"unet/config\.json is missing"),
        ("vae", r"vae/config\.json is missing"),
        ("text_encoder", r"text_encoder/config\.json is missing"),
        ("tokenizer", "tokenizer is missing or damaged"),
        ("scheduler", r"scheduler/scheduler_config\.json is missing"),
    ],
)
def test_a_missing_component_is_named(model: Path, name: str, message: str) -> None:
    shutil.rmtree(model / name)
    with pytest.raises(UnusableModelError, match=message):
        directory_components(model)


def test_a_damaged_vocabulary_is_refused(model: Path) -> None:
    (model / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    (model / "tokenizer" / "vocab.json").write_text("{")
    with pytest.raises(UnusableModelError, match="tokenizer is missing or damaged"):
        directory_components(model)


def test_an_unknown_scheduler_class_is_refused(model: Path) -> None:
    edit(model / "model_index.json", scheduler=["diffusers", "NoSuchScheduler"])
    with pytest.raises(UnusableModelError, match="diffusers has no class NoSuchScheduler for scheduler"):
        directory_components(model)


@pytest.mark.parametrize("timesteps", [10**12, "many"])
def test_a_noise_schedule_that_would_fill_the_memory_is_refused(model: Path, timesteps: object) -> None:
    edit(model / "scheduler/scheduler_config.json", num_train_timesteps=timesteps)
    with (
        limited_memory(),
        pytest.raises(UnusableModelError, match=f"num_train_timesteps is {timesteps}, "),
    ):
        directory_components(model)
