"""ControlNets in the denoising loop, compared to diffusers' pipelines."""

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
from tests.inference.diffusion.adapters.adapter_harness import (
    MAX_BATCH_SIZE,
    AdapterHarness,
    generate_with_diffusers,
    with_controlnets,
)
from tests.inference.generations import generation_of, landscape
from tests.inference.models import ldm_layout
from tests.inference.models.hostile_files import limited_memory
from tests.inference.models.json_files import edit
from tests.inference.tiny_adapters import controlnet, file_at, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

SIZE = (72, 64)
MODELS: dict[str, Callable[[Path], Any]] = {"SD": tiny_models.sd, "SDXL": tiny_models.sdxl}
PIPELINES = {
    ("SD", "text"): "StableDiffusionControlNetPipeline",
    ("SD", "image"): "StableDiffusionControlNetImg2ImgPipeline",
    ("SD", "mask"): "StableDiffusionControlNetInpaintPipeline",
    ("SDXL", "text"): "StableDiffusionXLControlNetPipeline",
    ("SDXL", "image"): "StableDiffusionXLControlNetImg2ImgPipeline",
    ("SDXL", "mask"): "StableDiffusionXLControlNetInpaintPipeline",
}
SETTINGS: dict[str, tuple[dict[str, float], ...]] = {
    "one": ({},),
    "from 0.3": ({"weight": 0.5, "start": 0.3},),
    "two": ({"weight": 0.7, "end": 0.5}, {"weight": 1.2}),
    "one after the other": ({"end": 0.4}, {"start": 0.6}),
}


def mask() -> Image.Image:
    image = Image.new("L", SIZE, "black")
    image.paste("white", (9, 13, 50, 48))
    return image


def input_images(task: str) -> dict[str, Any]:
    return {
        "text": {},
        "image": {"image": landscape(SIZE)},
        "mask": {"image": landscape(SIZE), "mask": mask()},
    }[task]


@pytest.fixture(scope="module")
def pipelines(demo_model: Path) -> dict[str, Any]:
    return {name: make(demo_model) for name, make in MODELS.items()} | {
        "inpainting": tiny_models.inpainting(demo_model)
    }


@pytest.fixture(scope="module")
def files(
    pipelines: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[AdapterFile]]:
    directory = tmp_path_factory.mktemp("controlnets")
    return {
        name: [controlnet(pipeline, directory / f"{name}{seed}", seed=seed) for seed in (1, 2)]
        for name, pipeline in pipelines.items()
        if name != "inpainting"
    }


@pytest.mark.parametrize(("case", "guidance_scale"), [*((case, 7.3) for case in SETTINGS), ("two", 0.0)])
@pytest.mark.parametrize(("family", "task"), PIPELINES)
def test_images_equal_those_of_diffusers(
    pipelines: dict[str, Any],
    files: dict[str, list[AdapterFile]],
    family: str,
    task: str,
    case: str,
    guidance_scale: float,
) -> None:
    settings, pipeline = SETTINGS[case], pipelines[family]
    used = files[family][: len(settings)]
    with_images = with_controlnets(*used, settings=settings, **input_images(task))
    request = {"steps": 4, "guidance_scale": guidance_scale, "sampler": "euler_a"}
    request |= {"strength": 0.8} if task != "text" else {"width": SIZE[0], "height": SIZE[1]}
    harness = AdapterHarness(pipeline)
    ours = harness.generate(**with_images, **request)
    inputs = with_images["inputs"]
    assert ours != harness.generate(type(inputs)(inputs.image, inputs.mask), **request)

    networks = [ControlNetModel.from_pretrained(file.path) for file in used]
    several = len(networks) > 1
    control_images = list(inputs.control_images) if several else inputs.control_images[0]
    arguments: dict[str, Any] = {
        "controlnet": MultiControlNetModel(networks) if several else networks[0],
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
    assert ours == generate_with_diffusers(pipeline, PIPELINES[family, task], generation, **arguments)


def test_images_of_an_inpainting_unet_equal_those_of_diffusers(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    pipeline, file = pipelines["inpainting"], files["SD"][0]
    with_images = with_controlnets(file, **input_images("mask"))
    request: dict[str, Any] = {"strength": 0.8, "sampler": "euler_a", "input_image": "s3://data/a.png"}
    arguments: dict[str, Any] = {
        "controlnet": ControlNetModel.from_pretrained(file.path),
        "controlnet_conditioning_scale": 1.0,
        "image": with_images["inputs"].image,
        "mask_image": with_images["inputs"].mask,
        "control_image": with_images["inputs"].control_images[0],
        "strength": 0.8,
        "width": SIZE[0],
        "height": SIZE[1],
    }
    theirs = generate_with_diffusers(pipeline, PIPELINES["SD", "mask"], generation_of(**request), **arguments)
    assert AdapterHarness(pipeline).generate(**with_images, **request) == theirs


def add_requests(harness: AdapterHarness, controlnets: list[AdapterFile]) -> list[GenerationTask]:
    """Adds requests that share a batch: the same ControlNets with different settings."""
    all_settings: list[tuple[dict[str, float], ...]] = [
        ({}, {"weight": 0.5}),
        ({"end": 0.5}, {"weight": 0.0}),
        ({"weight": 2.0, "start": 0.5}, {"end": 0.25}),
    ]
    size = {"width": SIZE[0], "height": SIZE[1]}
    return [
        harness.add_request(**with_controlnets(*controlnets, settings=settings), seed=seed, **size)
        for seed, settings in enumerate(all_settings)
    ]


def test_at_a_fixed_batch_size_an_image_does_not_depend_on_the_other_images_settings(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    together, alone = (AdapterHarness(pipelines["SD"], fixed_batch_size=True) for _ in range(2))
    all_tasks = add_requests(together, files["SD"])
    images = together.finish(*all_tasks)
    assert {task.future.result(0).batch_size for task in all_tasks} == {MAX_BATCH_SIZE}
    assert len(set(images)) == len(images)
    for index, image in enumerate(images):
        tasks = add_requests(alone, files["SD"])
        for task in tasks[:index] + tasks[index + 1 :]:
            task.future.cancel()
        assert alone.finish(tasks[index]) == [image]


def test_only_requests_with_the_same_controlnets_share_a_batch(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]]
) -> None:
    harness, (one, other), size = (
        AdapterHarness(pipelines["SD"]),
        files["SD"],
        {"width": SIZE[0], "height": SIZE[1]},
    )
    requests = [with_controlnets(*used) for used in ((one,), (one,), (other,), (one, other))]
    tasks = [harness.add_request(**request, **size) for request in requests]
    tasks.append(harness.add_request(**size))
    harness.finish()
    assert [task.future.result(0).batch_size for task in tasks] == [2, 2, 1, 1, 1]


def test_each_controlnet_is_loaded_once(
    demo_model: Path, files: dict[str, list[AdapterFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    harness, size = AdapterHarness(tiny_models.sd(demo_model)), {"width": SIZE[0], "height": SIZE[1]}
    loaded = []
    load = ModelMixin.from_pretrained.__func__

    def count(kind: type, directory: Path, **options: Any) -> Any:
        loaded.append((kind, directory))
        return load(kind, directory, **options)

    monkeypatch.setattr(ModelMixin, "from_pretrained", classmethod(count))
    one, other = files["SD"]
    first = harness.generate(**with_controlnets(one), **size)
    harness.generate(**with_controlnets(one, **input_images("image")), strength=0.8)
    harness.generate(**with_controlnets(one, **input_images("mask")), strength=0.8)
    harness.generate(**size)
    harness.generate(**with_controlnets(other, one), **size)
    assert harness.generate(**with_controlnets(one), **size) == first
    assert loaded == [(ControlNetModel, one.path), (ControlNetModel, other.path)]


def test_a_controlnet_does_not_run_outside_its_start_and_end(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    forward = ControlNetModel.forward

    def count(network: Any, *arguments: Any, **options: Any) -> Any:
        runs.append(network)
        return forward(network, *arguments, **options)

    monkeypatch.setattr(ControlNetModel, "forward", count)
    settings = ({"start": 0.5, "end": 0.75},)
    AdapterHarness(pipelines["SD"]).generate(
        **with_controlnets(files["SD"][0], settings=settings), width=SIZE[0], height=SIZE[1], steps=8
    )
    assert len(runs) == 2


def unusable(pipelines: dict[str, Any], whole: Path, directory: Path) -> dict[str, AdapterFile]:
    """Unusable ControlNets by the expected reason."""
    weights = "diffusion_pytorch_model.safetensors"
    for name in ("truncated", "bare", "unreadable", "smaller", "lacking", "deep", "wide"):
        shutil.copytree(whole, directory / name)
    (directory / "truncated" / weights).write_bytes((whole / weights).read_bytes()[:-100])
    (directory / "bare" / weights).unlink()
    (directory / "unreadable" / "config.json").write_text("{")
    edit(directory / "deep" / "config.json", layers_per_block=10**9)
    edit(directory / "wide" / "config.json", block_out_channels=[1 << 20, 1 << 20])
    tensors = load_file(whole / weights)
    save_file({"conv_in.bias": tensors["conv_in.bias"]}, directory / "wide" / weights)
    save_file({**tensors, "conv_in.bias": torch.ones(3)}, directory / "smaller" / weights)
    tensors.pop("conv_in.bias")
    save_file(tensors, directory / "lacking" / weights)
    pipelines["SD"].vae.save_pretrained(directory / "vae")
    sd = pipelines["SD"]
    return {
        "its addition_embed_type differs": controlnet(pipelines["SDXL"], directory / "xl"),
        "has global_pool_conditions": controlnet(sd, directory / "pooled", global_pool_conditions=True),
        "another class than ControlNetModel": file_at(directory / "vae"),
        "has weights that are damaged": file_at(directory / "truncated"),
        "has no .safetensors weights": file_at(directory / "bare"),
        "or do not match its config.json": file_at(directory / "smaller"),
        "damaged or do not match its config.json": file_at(directory / "deep"),
        "that are damaged or do not match": file_at(directory / "wide"),
        "has no readable config.json": file_at(directory / "unreadable"),
        "lacks weights, for example conv_in.bias": file_at(directory / "lacking"),
    }


def test_an_unusable_controlnet_is_refused_with_the_reason_and_other_requests_succeed(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]], tmp_path: Path
) -> None:
    harness, good, size = (
        AdapterHarness(pipelines["SD"]),
        files["SD"][0],
        {"width": SIZE[0], "height": SIZE[1]},
    )
    expected = harness.generate(**with_controlnets(good), **size)
    running = harness.add_request(**with_controlnets(good), **size)
    for reason, file in unusable(pipelines, good.path, tmp_path).items():
        with limited_memory():
            error = harness.add_request(**with_controlnets(good, file), **size).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert [wrong.pointer for wrong in error.errors] == ["#/controlnets/1/type"]
        assert f"{file.name!r} " in error.detail
        assert reason in error.detail
        harness.step()
    assert harness.finish(running) == [expected]
    assert harness.generate(**with_controlnets(good), **size) == expected


def test_residuals_have_the_models_dtype(demo_model: Path, files: dict[str, list[AdapterFile]]) -> None:
    harness = AdapterHarness(tiny_models.sd(demo_model).to(torch.bfloat16))
    settings: tuple[dict[str, float], ...] = ({"weight": 0.7}, {})
    residuals = []
    harness.pipeline.unet.register_forward_pre_hook(
        lambda _unet, _arguments, options: residuals.extend(options["down_block_additional_residuals"]),
        with_kwargs=True,
    )
    harness.generate(**with_controlnets(*files["SD"], settings=settings), width=SIZE[0], height=SIZE[1])
    assert {residual.dtype for residual in residuals} == {torch.bfloat16}


def single_file(directory: AdapterFile, path: Path, naming: str) -> AdapterFile:
    """The ControlNet of a directory as its trainer has saved it."""
    tensors = load_file(directory.path / "diffusion_pytorch_model.safetensors")
    if naming != "diffusers":
        tensors = ldm_layout.controlnet_tensors(ControlNetModel.from_pretrained(directory.path))
    if naming == "checkpoint":
        tensors = {f"control_model.{name}": tensor for name, tensor in tensors.items()}
        tensors["model.diffusion_model.out.2.bias"] = torch.zeros(4)
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    if path.suffix == ".safetensors":
        return write(path, tensors)
    torch.save({"state_dict": tensors}, path)
    return file_at(path)


@pytest.mark.parametrize("naming", ["alone", "checkpoint", "diffusers"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("family", MODELS)
def test_a_controlnet_in_one_file_gives_the_same_image_as_its_directory(
    pipelines: dict[str, Any],
    files: dict[str, list[AdapterFile]],
    tmp_path: Path,
    family: str,
    suffix: str,
    naming: str,
) -> None:
    directory = files[family][0]
    file = single_file(directory, tmp_path / f"canny{suffix}", naming)
    harness, size = AdapterHarness(pipelines[family]), {"width": SIZE[0], "height": SIZE[1]}
    expected = harness.generate(**with_controlnets(directory), **size)
    assert harness.generate(**with_controlnets(file), **size) == expected != harness.generate(**size)


def test_a_file_of_a_controlnet_without_attention_gives_the_same_image_as_its_directory(
    pipelines: dict[str, Any], tmp_path: Path
) -> None:
    """As diffusers' small ControlNets for SDXL."""
    config = ControlNetModel.from_unet(pipelines["SDXL"].unet, load_weights_from_unet=False).config
    blocks = len(config.block_out_channels)
    without = {"down_block_types": ("DownBlock2D",) * blocks, "mid_block_type": "UNetMidBlock2D"}
    own = {name: value for name, value in config.items() if not name.startswith("_")}
    torch.manual_seed(1)
    network = ControlNetModel(**own | without)
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.1)
    network.save_pretrained(tmp_path / "small")
    directory = file_at(tmp_path / "small")
    file = single_file(directory, tmp_path / "one.safetensors", "diffusers")
    harness, size = AdapterHarness(pipelines["SDXL"]), {"width": SIZE[0], "height": SIZE[1]}
    expected = harness.generate(**with_controlnets(directory), **size)
    assert harness.generate(**with_controlnets(file), **size) == expected


def test_an_unusable_file_is_refused_with_the_reason(
    pipelines: dict[str, Any], files: dict[str, list[AdapterFile]], tmp_path: Path
) -> None:
    whole = ldm_layout.controlnet_tensors(ControlNetModel.from_pretrained(files["SD"][0].path))
    whole = {name: tensor.contiguous() for name, tensor in whole.items()}
    without = {name: {n: t for n, t in whole.items() if not n.startswith(name)} for name in whole}
    one = torch.zeros(1)
    tensors = {
        "is a LoRA-ControlNet": {**whole, "lora_controlnet": one},
        "is a union of several ControlNets": {**whole, "task_embedding": one},
        "is a T2I-Adapter": {"body.0.in_conv.weight": one},
        "is a ControlLLLite": {"lllite_unet_input_blocks_4_1.up.0.weight": one},
        "is not a ControlNet: it has no layer": {"weight": one},
        "for example time_embed.0.weight": without["time_embed.0.weight"],
        "for example time_embedding.linear_2.bias": without["time_embed.2.bias"],
        "for example conv_in.weight": without["input_blocks.0.0.weight"],
        "for example controlnet_mid_block.bias": without["middle_block_out.0.bias"],
    }
    made = {
        reason: write(tmp_path / f"{index}.safetensors", each)
        for index, (reason, each) in enumerate(tensors.items())
    }
    made["was made for another model family"] = single_file(
        files["SDXL"][0], tmp_path / "xl.safetensors", "diffusers"
    )
    made["is a shuffle ControlNet by its name"] = write(tmp_path / "v11e_Shuffle.safetensors", whole)
    harness = AdapterHarness(pipelines["SD"])
    for reason, file in made.items():
        error = harness.add_request(**with_controlnets(file), width=SIZE[0], height=SIZE[1]).future.exception(
            0
        )
        assert isinstance(error, AdapterUnusableError), reason
        assert [wrong.pointer for wrong in error.errors] == ["#/controlnets/0/type"]
        assert reason in error.detail
