"""ControlNets in the loop: as diffusers' own pipelines apply them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import ControlNetModel, ModelMixin
from diffusers.models import MultiControlNetModel
from PIL import Image
from safetensors.torch import load_file, save_file

from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import ROOM, AdaptedLoop, stock, with_controlnets
from tests.inference.generations import generation_of, landscape
from tests.inference.tiny_adapters import controlnet, file_at

pytestmark = pytest.mark.usefixtures("engine_thread_count")

SIZE = (72, 64)
MODELS: dict[str, Callable[[Path], Any]] = {"SD": tiny_models.sd, "SDXL": tiny_models.sdxl}
STOCK = {
    ("SD", "text"): "StableDiffusionControlNetPipeline",
    ("SD", "image"): "StableDiffusionControlNetImg2ImgPipeline",
    ("SD", "mask"): "StableDiffusionControlNetInpaintPipeline",
    ("SDXL", "text"): "StableDiffusionXLControlNetPipeline",
    ("SDXL", "image"): "StableDiffusionXLControlNetImg2ImgPipeline",
    ("SDXL", "mask"): "StableDiffusionXLControlNetInpaintPipeline",
}
WINDOWS: dict[str, tuple[dict[str, float], ...]] = {
    "one": ({},),
    "half": ({"weight": 0.5, "start": 0.3},),
    "several": ({"weight": 0.7, "end": 0.5}, {"weight": 1.2}),
    "apart": ({"end": 0.4}, {"start": 0.6}),
}


def mask() -> Image.Image:
    image = Image.new("L", SIZE, "black")
    image.paste("white", (9, 13, 50, 48))
    return image


def pictures(task: str) -> dict[str, Any]:
    return {
        "text": {},
        "image": {"image": landscape(SIZE)},
        "mask": {"image": landscape(SIZE), "mask": mask()},
    }[task]


@pytest.fixture(scope="module")
def pipelines(demo_model: Path) -> dict[str, Any]:
    return {name: make(demo_model) for name, make in MODELS.items()} | {
        "nine": tiny_models.inpainting(demo_model)
    }


@pytest.fixture(scope="module")
def files(
    pipelines: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[AdapterFile]]:
    home = tmp_path_factory.mktemp("controlnets")
    return {
        name: [controlnet(pipeline, home / f"{name}{seed}", seed=seed) for seed in (1, 2)]
        for name, pipeline in pipelines.items()
        if name != "nine"
    }


@pytest.mark.parametrize(("how", "guidance_scale"), [*((how, 7.3) for how in WINDOWS), ("several", 0.0)])
@pytest.mark.parametrize(("family", "task"), STOCK)
def test_they_guide_as_in_diffusers_to_the_byte(
    pipelines: dict[str, Any],
    files: dict[str, list[AdapterFile]],
    family: str,
    task: str,
    how: str,
    guidance_scale: float,
) -> None:
    settings, pipeline = WINDOWS[how], pipelines[family]
    own = files[family][: len(settings)]
    asked = with_controlnets(*own, settings=settings, **pictures(task))
    request = {"steps": 4, "guidance_scale": guidance_scale, "sampler": "euler_a"}
    request |= {"strength": 0.8} if task != "text" else {"width": SIZE[0], "height": SIZE[1]}
    loop = AdaptedLoop(pipeline)
    ours = loop.draw(**asked, **request)
    inputs = asked["inputs"]
    assert ours != loop.draw(type(inputs)(inputs.image, inputs.mask), **request)

    nets = [ControlNetModel.from_pretrained(file.path) for file in own]
    several = len(nets) > 1
    control_images = list(inputs.control_images) if several else inputs.control_images[0]
    arguments: dict[str, Any] = {
        "controlnet": MultiControlNetModel(nets) if several else nets[0],
        "controlnet_conditioning_scale": [each.get("weight", 1.0) for each in settings]
        if several
        else settings[0].get("weight", 1.0),
        "control_guidance_start": [each.get("start", 0.0) for each in settings],
        "control_guidance_end": [each.get("end", 1.0) for each in settings],
        "image": control_images,
    }
    if task != "text":
        arguments |= {"image": inputs.image, "control_image": control_images, "strength": 0.8}
    if task == "mask":
        arguments |= {"mask_image": inputs.mask}
    if task != "image":
        arguments |= {"width": SIZE[0], "height": SIZE[1]}
    generation = generation_of(**{"input_image": "s3://data/a.png"} if task != "text" else {}, **request)
    assert ours == stock(pipeline, STOCK[family, task], generation, **arguments)


def test_a_unet_that_looks_at_masks_is_guided_too(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    pipeline, file = pipelines["nine"], files["SD"][0]
    asked = with_controlnets(file, **pictures("mask"))
    request: dict[str, Any] = {"strength": 0.8, "sampler": "euler_a", "input_image": "s3://data/a.png"}
    arguments: dict[str, Any] = {
        "controlnet": ControlNetModel.from_pretrained(file.path),
        "controlnet_conditioning_scale": 1.0,
        "image": asked["inputs"].image,
        "mask_image": asked["inputs"].mask,
        "control_image": asked["inputs"].control_images[0],
        "strength": 0.8,
        "width": SIZE[0],
        "height": SIZE[1],
    }
    theirs = stock(pipeline, STOCK["SD", "mask"], generation_of(**request), **arguments)
    assert AdaptedLoop(pipeline).draw(**asked, **request) == theirs


def everything(loop: AdaptedLoop, own: list[AdapterFile]) -> list[GenerationTask]:
    """Requests that share a batch, each classifier_free_guidance in its own way."""
    ways: list[tuple[dict[str, float], ...]] = [
        ({}, {"weight": 0.5}),
        ({"end": 0.5}, {"weight": 0.0}),
        ({"weight": 2.0, "start": 0.5}, {"end": 0.25}),
    ]
    size = {"width": SIZE[0], "height": SIZE[1]}
    return [
        loop.add_request(**with_controlnets(*own, settings=settings), seed=seed, **size)
        for seed, settings in enumerate(ways)
    ]


def test_at_a_fixed_bucket_an_image_does_not_depend_on_how_its_neighbours_are_guided(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    crowded, quiet = (AdaptedLoop(pipelines["SD"], fixed_batch_size=True) for _ in range(2))
    together = everything(crowded, files["SD"])
    drawn = crowded.finish(*together)
    assert {task.future.result(0).batch_size for task in together} == {ROOM}
    assert len(set(drawn)) == len(drawn)
    for index, image in enumerate(drawn):
        tasks = everything(quiet, files["SD"])
        for task in tasks[:index] + tasks[index + 1 :]:
            task.future.cancel()
        assert quiet.finish(tasks[index]) == [image]


def test_only_those_with_the_same_list_share_a_forward(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    loop, (one, other), size = (
        AdaptedLoop(pipelines["SD"]),
        files["SD"],
        {"width": SIZE[0], "height": SIZE[1]},
    )
    asked = [with_controlnets(*own) for own in ((one,), (one,), (other,), (one, other))]
    tasks = [loop.add_request(**each, **size) for each in asked]
    tasks.append(loop.add_request(**size))
    loop.finish()
    assert [task.future.result(0).batch_size for task in tasks] == [2, 2, 1, 1, 1]


def test_nothing_is_loaded_but_the_network_and_that_once(
    demo_model: Path, files: dict[str, list[AdapterFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, size = AdaptedLoop(tiny_models.sd(demo_model)), {"width": SIZE[0], "height": SIZE[1]}
    loads = []
    load = ModelMixin.from_pretrained.__func__

    def count(kind: type, directory: Path, **options: Any) -> Any:
        loads.append((kind, directory))
        return load(kind, directory, **options)

    monkeypatch.setattr(ModelMixin, "from_pretrained", classmethod(count))
    one, other = files["SD"]
    first = loop.draw(**with_controlnets(one), **size)
    loop.draw(**with_controlnets(one, **pictures("image")), strength=0.8)
    loop.draw(**with_controlnets(one, **pictures("mask")), strength=0.8)
    loop.draw(**size)
    loop.draw(**with_controlnets(other, one), **size)
    assert loop.draw(**with_controlnets(one), **size) == first
    assert loads == [(ControlNetModel, one.path), (ControlNetModel, other.path)]


def test_one_that_does_not_guide_yet_is_not_asked(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    forward = ControlNetModel.forward

    def count(network: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(network)
        return forward(network, *arguments, **options)

    monkeypatch.setattr(ControlNetModel, "forward", count)
    settings = ({"start": 0.5, "end": 0.75},)
    AdaptedLoop(pipelines["SD"]).draw(
        **with_controlnets(files["SD"][0], settings=settings), width=SIZE[0], height=SIZE[1], steps=8
    )
    assert len(asked) == 2


def unusable(pipelines: dict[str, Any], whole: Path, home: Path) -> dict[str, AdapterFile]:
    """One of every sort, by what is said of it."""
    weights = "diffusion_pytorch_model.safetensors"
    for name in ("truncated", "bare", "unreadable", "smaller", "lacking"):
        shutil.copytree(whole, home / name)
    (home / "truncated" / weights).write_bytes((whole / weights).read_bytes()[:-100])
    (home / "bare" / weights).unlink()
    (home / "unreadable" / "config.json").write_text("{")
    tensors = load_file(whole / weights)
    save_file({**tensors, "conv_in.bias": torch.ones(3)}, home / "smaller" / weights)
    tensors.pop("conv_in.bias")
    save_file(tensors, home / "lacking" / weights)
    pipelines["SD"].vae.save_pretrained(home / "vae")
    sd = pipelines["SD"]
    return {
        "its addition_embed_type differs": controlnet(pipelines["SDXL"], home / "xl"),
        "has global_pool_conditions": controlnet(sd, home / "pooled", global_pool_conditions=True),
        "is no ControlNetModel": file_at(home / "vae"),
        "has weights that are damaged": file_at(home / "truncated"),
        "has weights that are damaged,": file_at(home / "bare"),
        "has weights that are damaged, or": file_at(home / "smaller"),
        "has no config.json": file_at(home / "unreadable"),
        "lacks weights, conv_in.bias": file_at(home / "lacking"),
    }


def test_one_that_cannot_be_used_is_refused_in_words_and_harms_nobody(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]], tmp_path: Path
) -> None:
    loop, good, size = AdaptedLoop(pipelines["SD"]), files["SD"][0], {"width": SIZE[0], "height": SIZE[1]}
    classifier_free_guidance = loop.draw(**with_controlnets(good), **size)
    beside = loop.add_request(**with_controlnets(good), **size)
    for reason, file in unusable(pipelines, good.path, tmp_path).items():
        error = loop.add_request(**with_controlnets(good, file), **size).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert [wrong.pointer for wrong in error.errors] == ["#/controlnets/1/type"]
        assert f"{file.name!r} " in error.detail
        assert reason in error.detail
        loop.step()
    assert loop.finish(beside) == [classifier_free_guidance]
    assert loop.draw(**with_controlnets(good), **size) == classifier_free_guidance


def test_they_guide_in_the_models_precision(demo_model: Path, files: dict[str, list[AdapterFile]]) -> None:
    loop = AdaptedLoop(tiny_models.sd(demo_model).to(torch.bfloat16))
    settings: tuple[dict[str, float], ...] = ({"weight": 0.7}, {})
    added = []
    loop.pipeline.unet.register_forward_pre_hook(
        lambda _unet, _arguments, options: added.extend(options["down_block_additional_residuals"]),
        with_kwargs=True,
    )
    loop.draw(**with_controlnets(*files["SD"], settings=settings), width=SIZE[0], height=SIZE[1])
    assert {residual.dtype for residual in added} == {torch.bfloat16}
