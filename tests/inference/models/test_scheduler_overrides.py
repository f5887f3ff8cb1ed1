"""Values of the scheduler's configuration that a file does not say: in model.json, or edited by hand."""

import json
from pathlib import Path

import pytest
from diffusers import PNDMScheduler, StableDiffusionPipeline

from contract.manifest import MANIFEST
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.models.errors import UnusableModelError
from inference.models.loading import load_pipeline
from inference.models.manifests import read_manifest
from tests.inference.models import ldm_layout
from tests.inference.models.conversion.model_checks import check_converted, run
from tests.inference.models.json_files import edit

OVERRIDES = {
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": True,
}


def write_manifest(directory: Path, **scheduler: object) -> None:
    (directory / MANIFEST).write_text(json.dumps({"family": "sd1", "scheduler": scheduler}))


def check_overridden(path: Path) -> None:
    config = load_pipeline(path).scheduler.config
    assert {name: config[name] for name in OVERRIDES} == OVERRIDES


@pytest.mark.parametrize("form", ["directory", "single file"])
def test_model_json_decides_what_the_files_do_not_say(tmp_path: Path, form: str) -> None:
    pipeline = ldm_layout.pipeline("sd1")
    if form == "directory":
        pipeline.save_pretrained(tmp_path)
    else:
        ldm_layout.write(pipeline, tmp_path / "model.safetensors")
    assert load_pipeline(tmp_path).scheduler.config.prediction_type == "epsilon"
    write_manifest(tmp_path, **OVERRIDES)
    check_overridden(tmp_path)


def test_options_that_only_other_schedulers_have_reach_them(tmp_path: Path) -> None:
    pipeline: StableDiffusionPipeline = ldm_layout.pipeline("sd1")
    pipeline.scheduler = PNDMScheduler.from_config(pipeline.scheduler.config)
    pipeline.save_pretrained(tmp_path)
    write_manifest(tmp_path, **OVERRIDES)
    schedulers = NoiseSchedulers(load_pipeline(tmp_path).scheduler.config)
    euler = schedulers.create("euler", steps=4, strength=None).scheduler
    assert float(euler.sigmas[0]) == pytest.approx(4096, rel=0.01)


def test_a_configuration_edited_by_hand_is_used(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path / "out")
    edit(tmp_path / "out/scheduler/scheduler_config.json", **OVERRIDES)
    check_overridden(tmp_path / "out")


def test_an_unknown_value_is_refused_by_name(model: Path) -> None:
    write_manifest(model, prediction_type="velocity")
    with pytest.raises(UnusableModelError, match=r"model\.json is not valid: scheduler\.prediction_type: "):
        load_pipeline(model)


def test_the_options_of_the_converter_are_in_the_files_and_in_the_manifest(tmp_path: Path) -> None:
    file = ldm_layout.write(ldm_layout.pipeline("sd1"), tmp_path / "a.safetensors")
    options = ["--prediction-type=v_prediction", "--timestep-spacing=trailing", "--rescale-betas-zero-snr"]
    assert run(file, tmp_path / "out", *options, "--clip-skip=2", "--vae=sharp") == 0
    check_converted(tmp_path / "out", "sd1")
    check_overridden(tmp_path / "out")
    config = json.loads((tmp_path / "out/scheduler/scheduler_config.json").read_text())
    assert {name: config[name] for name in OVERRIDES} == OVERRIDES
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert manifest.scheduler is not None
    assert manifest.scheduler.options == OVERRIDES
    defaults = manifest.declaration("a").defaults
    assert (defaults.clip_skip, defaults.vae) == (2, "sharp")


def test_another_conversion_with_other_options_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ldm_layout.write(ldm_layout.pipeline("sd1"), tmp_path / "a.safetensors")
    assert run(file, tmp_path / "out", "--clip-skip=2") == 0
    assert run(file, tmp_path / "out", "--clip-skip=2") == 0
    assert run(file, tmp_path / "out", "--clip-skip=3") == 1
    assert "already has this model with other options; remove it" in capsys.readouterr().err


def test_an_invalid_option_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, tmp_path / "out", "--clip-skip=99") == 1
    assert "error: --clip-skip: " in capsys.readouterr().err
