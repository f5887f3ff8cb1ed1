"""LoRAs in the loop: as diffusers applies them, and gone when they are done."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from torch import nn

from contract.problem import ErrorCode
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.engine.errors import AdapterUnusableError, OutOfMemoryError
from inference.engine.interface import AdapterFile
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdaptedLoop, stock, with_loras
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import file_at, kohya, lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

MODELS = {"SD": tiny_models.sd, "SDXL": tiny_models.sdxl}


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def loop(family: str, demo_model: Path) -> AdaptedLoop:
    return AdaptedLoop(MODELS[family](demo_model))


@pytest.fixture
def sd_loop(demo_model: Path) -> AdaptedLoop:
    return AdaptedLoop(tiny_models.sd(demo_model))


def make(loop: AdaptedLoop, directory: Path, name: str = "moon", **settings: Any) -> AdapterFile:
    return write(directory / f"{name}.safetensors", lora(loop.pipeline, **settings))


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`")  # of diffusers' second LoRA
@pytest.mark.parametrize("weights", [(1.0,), (0.6,), (-0.5, 1.3)], ids=str)
@pytest.mark.parametrize("naming", ["diffusers", "kohya"])
def test_they_act_as_in_diffusers_to_the_byte(
    family: str, loop: AdaptedLoop, demo_model: Path, tmp_path: Path, weights: tuple[float, ...], naming: str
) -> None:
    peer = MODELS[family](demo_model)
    files = []
    for index in range(len(weights)):
        tensors = lora(peer, seed=index, rank=2 + index)
        files.append(
            write(
                tmp_path / f"{index}.safetensors",
                tensors if naming == "diffusers" else kohya(tensors, alpha=1.5),
            )
        )
    ours = loop.draw(**with_loras(*files, weights=weights))
    plain = loop.draw()

    for file in files:
        peer.load_lora_weights(tmp_path, weight_name=file.path.name, adapter_name=f"lora{file.name}")
    peer.set_adapters([f"lora{file.name}" for file in files], list(weights))
    theirs = stock(peer, type(peer).__name__, generation_of(), width=64, height=64)
    assert ours == theirs != plain


def test_a_request_after_one_is_the_one_before_it_whatever_was_beside_it(
    loop: AdaptedLoop, tmp_path: Path
) -> None:
    one, other = make(loop, tmp_path, "one"), make(loop, tmp_path, "other", seed=1, components=("unet",))
    requests: list[dict[str, Any]] = [
        {},
        with_loras(one),
        with_loras(one, weights=(0.5,)),
        with_loras(other),
        with_loras(one, other),
        with_loras(other, one),
    ]
    alone = [loop.draw(**request) for request in requests]
    assert len(set(alone[:5])) == 5
    together = [
        loop.add_request(steps=steps, **request)
        for steps, request in zip((4, 4, 4, 4, 4, 4), requests, strict=True)
    ]
    assert loop.finish(*together) == alone
    assert loop.draw() == alone[0]


def test_only_those_of_the_same_set_share_a_forward(sd_loop: AdaptedLoop, tmp_path: Path) -> None:
    one, other = make(sd_loop, tmp_path, "one"), make(sd_loop, tmp_path, "other", seed=1)
    tasks = [sd_loop.add_request(**with_loras(one)) for _ in range(2)]
    tasks += [
        sd_loop.add_request(**with_loras(one, weights=(0.5,))),
        sd_loop.add_request(**with_loras(other)),
        sd_loop.add_request(),
    ]
    sd_loop.finish()
    assert [task.future.result(0).batch_size for task in tasks] == [2, 2, 1, 1, 1]


def modules(pipeline: Any) -> list[tuple[str, nn.Module]]:
    parts = (pipeline.unet, pipeline.text_encoder)
    return [each for part in parts for each in part.named_modules()]


def test_when_the_last_has_left_the_model_is_what_it_was(
    sd_loop: AdaptedLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, weights = modules(sd_loop.pipeline), sd_loop.pipeline.unet.state_dict()
    plain = sd_loop.draw()
    monkeypatch.setattr(sd_loop.loop._components.adapters._loras, "_cache", DeviceCache(max_bytes=0))
    drawn = sd_loop.draw(**with_loras(make(sd_loop, tmp_path)))
    assert sd_loop.draw() == plain != drawn
    assert modules(sd_loop.pipeline) == before
    assert sd_loop.pipeline.unet.state_dict().keys() == weights.keys()


def test_they_are_loaded_once_and_again_when_they_have_been_replaced(
    sd_loop: AdaptedLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, successor = make(sd_loop, tmp_path), make(sd_loop, tmp_path, "next", seed=5)
    replaced = AdapterFile(file.name, successor.path, successor.version)
    first = sd_loop.draw(**with_loras(file))
    with monkeypatch.context() as patch:
        patch.setattr("inference.diffusion.adapters.loras.read_lora", None)
        sd_loop.draw()
        assert sd_loop.draw(**with_loras(file)) == first
    assert sd_loop.draw(**with_loras(replaced)) != first
    assert sd_loop.draw(**with_loras(file)) == first


def scalings(pipeline: Any) -> dict[str, float]:
    found = {}
    for name, layer in pipeline.unet.named_modules():
        for scaling in getattr(layer, "scaling", {}).values():
            found[name] = scaling
    return found


def test_each_layers_own_alpha_counts(sd_loop: AdaptedLoop, tmp_path: Path) -> None:
    tensors = kohya(lora(sd_loop.pipeline, components=("unet",)), alpha=2.0)
    tensors["lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.alpha"] = torch.tensor(0.5)
    sd_loop.add_request(**with_loras(write(tmp_path / "a.safetensors", tensors)))
    found = scalings(sd_loop.pipeline)
    assert found.pop("mid_block.attentions.0.transformer_blocks.0.attn1.to_q") == 0.25
    assert set(found.values()) == {1.0}


def test_the_alpha_that_peft_notes_counts(sd_loop: AdaptedLoop, tmp_path: Path) -> None:
    notes = {"unet.r": 2, "unet.lora_alpha": 8, "unet.alpha_pattern": {"mid_block.resnets.0.conv1": 1}}
    tensors = lora(sd_loop.pipeline, components=("unet",))
    file = write(tmp_path / "a.safetensors", tensors, **{LORA_ADAPTER_METADATA_KEY: json.dumps(notes)})
    sd_loop.add_request(**with_loras(file))
    found = scalings(sd_loop.pipeline)
    assert found.pop("mid_block.resnets.0.conv1") == 0.5
    assert set(found.values()) == {4.0}


def unusable(loop: AdaptedLoop, demo_model: Path, directory: Path) -> dict[str, AdapterFile]:
    """One of every sort, by what is said of it."""
    whole = lora(loop.pipeline)
    down = next(name for name in whole if "lora_A" in name)
    named = kohya(whole, alpha=1.0)
    contents = {
        "has no LoRA weights": {"unet.conv_in.weight": torch.ones(3)},
        "for no layer": {f"transformer.q.lora_{half}.weight": torch.ones(2, 2) for half in "AB"},
        "do not fit": {name.replace("mid_block", "middle"): values for name, values in whole.items()},
        "is incomplete at": {name: values for name, values in whole.items() if name != down},
        "incomplete at": {name: values for name, values in whole.items() if name != down.replace("_A", "_B")},
        "is incomplete at lora_unet_": {
            name: values for name, values in named.items() if "to_q.lora_up" not in name
        },
        "is of a kind that is not supported": {**named, "lora_unet_conv_in.hada_w1_a": torch.ones(2, 2)},
        "is a DoRA": {**named, "lora_unet_conv_in.dora_scale": torch.ones(2, 2)},
        "has more than one alpha": {**named, "lora_unet_conv_in.alpha": torch.ones(2)},
        "its weights for": {**whole, down: torch.ones(())},
        "another family of models": lora(tiny_models.sdxl(demo_model)),
        "has no text_encoder_2": kohya(lora(tiny_models.sdxl(demo_model)), alpha=1.0),
    }
    files = {
        reason: write(directory / f"{index}.safetensors", tensors)
        for index, (reason, tensors) in enumerate(contents.items())
    }
    notes = {LORA_ADAPTER_METADATA_KEY: json.dumps({"unet.lora_alpha": "much"})}
    files["has notes of its training"] = write(directory / "notes.safetensors", whole, **notes)
    truncated = write(directory / "truncated.safetensors", whole)
    truncated.path.write_bytes(truncated.path.read_bytes()[:-100])
    (directory / "text.safetensors").write_text("no such thing")
    return files | {
        "is no whole safetensors file": truncated,
        "is no whole safetensors file; upload": file_at(directory / "text.safetensors"),
    }


def test_one_that_cannot_be_used_is_refused_in_words_and_harms_nobody(
    sd_loop: AdaptedLoop, demo_model: Path, tmp_path: Path
) -> None:
    files = unusable(sd_loop, demo_model, tmp_path)
    good = make(sd_loop, tmp_path, "good")
    plain, adapted = sd_loop.draw(), sd_loop.draw(**with_loras(good))
    beside = [sd_loop.add_request(), sd_loop.add_request(**with_loras(good))]
    for reason, file in files.items():
        error = sd_loop.add_request(**with_loras(good, file)).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert error.code == ErrorCode.ADAPTER_UNUSABLE
        assert [wrong.pointer for wrong in error.errors] == ["#/loras/1/name"]
        assert reason in error.detail
        assert f"{file.name!r}" in error.detail
        sd_loop.step()
    assert sd_loop.finish(*beside) == [plain, adapted]
    assert [sd_loop.draw(), sd_loop.draw(**with_loras(good))] == [plain, adapted]


def test_one_that_fails_while_it_is_loaded_leaves_nothing_behind(
    sd_loop: AdaptedLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before, plain = make(sd_loop, tmp_path), modules(sd_loop.pipeline), sd_loop.draw()

    def exhausted(*_args: Any, **_options: Any) -> None:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr(sd_loop.pipeline.text_encoder, "get_submodule", exhausted)
        task = sd_loop.add_request(**with_loras(file))
    assert isinstance(task.future.exception(0), OutOfMemoryError)
    assert modules(sd_loop.pipeline) == before
    assert sd_loop.draw() == plain != sd_loop.draw(**with_loras(file))


def test_they_are_of_the_models_precision(sd_loop: AdaptedLoop, tmp_path: Path) -> None:
    file = make(sd_loop, tmp_path)
    sd_loop.pipeline.to(torch.bfloat16)
    loop = AdaptedLoop(sd_loop.pipeline)
    plain = loop.draw()
    assert loop.draw(**with_loras(file)) != plain
    parts = (loop.pipeline.unet, loop.pipeline.text_encoder)
    assert {weights.dtype for part in parts for weights in part.parameters()} == {torch.bfloat16}
    assert loop.draw() == plain
