"""LoRAs in the denoising loop: compared to diffusers, and removed without a trace."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from torch import nn

from contract.problem import ErrorCode
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.low_rank_layer import LowRankLayer
from inference.engine.errors import AdapterUnusableError, OutOfMemoryError
from inference.engine.interface import AdapterFile
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import (
    AdapterHarness,
    generate_with_diffusers,
    with_loras,
)
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import file_at, kohya, lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

MODELS = {"SD": tiny_models.sd, "SDXL": tiny_models.sdxl}


@pytest.fixture(scope="module", params=MODELS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def harness(family: str, demo_model: Path) -> AdapterHarness:
    return AdapterHarness(MODELS[family](demo_model))


@pytest.fixture
def sd_harness(demo_model: Path) -> AdapterHarness:
    return AdapterHarness(tiny_models.sd(demo_model))


def write_lora(harness: AdapterHarness, directory: Path, name: str = "moon", **settings: Any) -> AdapterFile:
    return write(directory / f"{name}.safetensors", lora(harness.pipeline, **settings))


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`")  # raised by diffusers for a second LoRA
@pytest.mark.parametrize("weights", [(1.0,), (0.6,), (-0.5, 1.3)], ids=str)
@pytest.mark.parametrize("naming", ["diffusers", "kohya"])
def test_images_equal_those_of_diffusers(
    family: str,
    harness: AdapterHarness,
    demo_model: Path,
    tmp_path: Path,
    weights: tuple[float, ...],
    naming: str,
) -> None:
    reference = MODELS[family](demo_model)
    files = []
    for index in range(len(weights)):
        tensors = lora(reference, seed=index, rank=2 + index)
        files.append(
            write(
                tmp_path / f"{index}.safetensors",
                tensors if naming == "diffusers" else kohya(tensors, alpha=1.5),
            )
        )
    ours = harness.generate(**with_loras(*files, weights=weights))
    plain = harness.generate()

    for file in files:
        reference.load_lora_weights(tmp_path, weight_name=file.path.name, adapter_name=f"lora{file.name}")
    reference.set_adapters([f"lora{file.name}" for file in files], list(weights))
    theirs = generate_with_diffusers(
        reference, type(reference).__name__, generation_of(), width=64, height=64
    )
    assert ours == theirs != plain


def test_an_image_does_not_depend_on_the_loras_of_other_requests(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    one, other = (
        write_lora(harness, tmp_path, "one"),
        write_lora(harness, tmp_path, "other", seed=1, components=("unet",)),
    )
    requests: list[dict[str, Any]] = [
        {},
        with_loras(one),
        with_loras(one, weights=(0.5,)),
        with_loras(other),
        with_loras(one, other),
        with_loras(other, one),
    ]
    alone = [harness.generate(**request) for request in requests]
    assert len(set(alone[:5])) == 5
    tasks = [harness.add_request(**request) for request in requests]
    assert harness.finish(*tasks) == alone
    assert harness.generate() == alone[0]


def test_only_requests_with_the_same_loras_and_weights_share_a_batch(
    sd_harness: AdapterHarness, tmp_path: Path
) -> None:
    one, other = write_lora(sd_harness, tmp_path, "one"), write_lora(sd_harness, tmp_path, "other", seed=1)
    tasks = [sd_harness.add_request(**with_loras(one)) for _ in range(2)]
    tasks += [
        sd_harness.add_request(**with_loras(one, weights=(0.5,))),
        sd_harness.add_request(**with_loras(other)),
        sd_harness.add_request(),
    ]
    sd_harness.finish()
    assert [task.future.result(0).batch_size for task in tasks] == [2, 2, 1, 1, 1]


def modules(pipeline: Any) -> list[tuple[str, nn.Module]]:
    components = (pipeline.unet, pipeline.text_encoder)
    return [each for component in components for each in component.named_modules()]


def test_the_last_evicted_lora_leaves_the_model_as_it_was(
    sd_harness: AdapterHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, weights = modules(sd_harness.pipeline), sd_harness.pipeline.unet.state_dict()
    plain = sd_harness.generate()
    monkeypatch.setattr(sd_harness.loop._components.adapters._loras, "_cache", DeviceCache(max_bytes=0))
    adapted = sd_harness.generate(**with_loras(write_lora(sd_harness, tmp_path)))
    assert sd_harness.generate() == plain != adapted
    assert modules(sd_harness.pipeline) == before
    assert sd_harness.pipeline.unet.state_dict().keys() == weights.keys()


def test_a_lora_is_loaded_once_for_each_version(
    sd_harness: AdapterHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = write_lora(sd_harness, tmp_path), write_lora(sd_harness, tmp_path, "other", seed=5)
    replaced = AdapterFile(file.name, other.path, other.version)
    first = sd_harness.generate(**with_loras(file))
    with monkeypatch.context() as patch:
        patch.setattr("inference.diffusion.adapters.loras.read_lora", None)
        sd_harness.generate()
        assert sd_harness.generate(**with_loras(file)) == first
    assert sd_harness.generate(**with_loras(replaced)) != first
    assert sd_harness.generate(**with_loras(file)) == first


def scalings(harness: AdapterHarness) -> dict[str, float]:
    """The scales of the terms by layer, of a request in its first step."""
    harness.step()
    layers = harness.pipeline.unet.named_modules()
    return {
        name: term.scale for name, layer in layers if isinstance(layer, LowRankLayer) for term in layer.terms
    }


def test_each_layer_has_its_own_alpha(sd_harness: AdapterHarness, tmp_path: Path) -> None:
    tensors = kohya(lora(sd_harness.pipeline, components=("unet",)), alpha=2.0)
    tensors["lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.alpha"] = torch.tensor(0.5)
    sd_harness.add_request(**with_loras(write(tmp_path / "a.safetensors", tensors)))
    found = scalings(sd_harness)
    assert found.pop("mid_block.attentions.0.transformer_blocks.0.attn1.to_q") == 0.25
    assert set(found.values()) == {1.0}


def test_the_alpha_in_peft_metadata_is_used(sd_harness: AdapterHarness, tmp_path: Path) -> None:
    metadata = {"unet.r": 2, "unet.lora_alpha": 8, "unet.alpha_pattern": {"mid_block.resnets.0.conv1": 1}}
    tensors = lora(sd_harness.pipeline, components=("unet",))
    file = write(tmp_path / "a.safetensors", tensors, **{LORA_ADAPTER_METADATA_KEY: json.dumps(metadata)})
    sd_harness.add_request(**with_loras(file))
    found = scalings(sd_harness)
    assert found.pop("mid_block.resnets.0.conv1") == 0.5
    assert set(found.values()) == {4.0}


def unusable(harness: AdapterHarness, demo_model: Path, directory: Path) -> dict[str, AdapterFile]:
    """Unusable LoRAs by the expected reason."""
    whole = lora(harness.pipeline)
    down = next(name for name in whole if "lora_A" in name)
    in_kohya_naming = kohya(whole, alpha=1.0)
    contents = {
        "has no LoRA weights": {"unet.conv_in.weight": torch.ones(3)},
        "outside the UNet and the text encoders": {
            f"transformer.q.lora_{half}.weight": torch.ones(2, 2) for half in "AB"
        },
        "attn1.to_k, a layer that this model does not have": {
            name.replace("mid_block", "middle"): values for name, values in whole.items()
        },
        "is incomplete: a LoRA without down": {
            name: values for name, values in whole.items() if name != down
        },
        "is incomplete: a LoRA without up": {
            name: values for name, values in whole.items() if name != down.replace("_A", "_B")
        },
        "has hada_w1_a beside a LoRA": {
            **in_kohya_naming,
            "lora_unet_mid_block_resnets_0_conv1.hada_w1_a": torch.ones(2, 2),
        },
        "is an OFT, which is not supported": {
            **in_kohya_naming,
            "lora_unet_conv_in.oft_blocks": torch.ones(2, 2),
        },
        "is a LoRA-ControlNet": {"lora_controlnet": torch.ones(0), **whole},
        "has weights of an unknown type, unet.conv_in.lora_C": {
            **whole,
            "unet.conv_in.lora_C": torch.ones(2),
        },
        "has weights twice for conv_in": {
            "unet.conv_in.diff": torch.ones(2),
            "lora_unet_conv_in.diff": torch.ones(2),
        },
        "is incomplete: a DoRA magnitude without LoRA weights": {
            **whole,
            "unet.conv_in.dora_scale": torch.ones(2),
        },
        "not finite numbers": {**whole, down: whole[down] * torch.inf},
        "not finite numbers in lora_unet": {
            **in_kohya_naming,
            next(name for name in in_kohya_naming if name.endswith(".alpha")): torch.tensor(torch.nan),
        },
        "not finite numbers in unet.conv_in.diff": {
            "unet.conv_in.diff": torch.full((8, 4, 3, 3), 1e300, dtype=torch.float64)
        },
        "for conv_in do not fit": {"unet.conv_in.diff": torch.ones(2)},
        "do not fit; use one": {  # of 16 million million elements
            f"lora_unet_conv_in.lokr_w{index}": torch.ones(2000, 2000) for index in (1, 2)
        },
        "token_embedding do not fit": {"lora_te_text_model_embeddings_token_embedding.diff_b": torch.ones(2)},
        "no floating-point numbers": {**whole, down: whole[down].int()},
        "has more than one number": {**in_kohya_naming, "lora_unet_conv_in.alpha": torch.ones(2)},
        "its weights for": {**whole, down: torch.ones(())},
        "another model family": lora(tiny_models.sdxl(demo_model)),
        "this model has no text_encoder_2": kohya(lora(tiny_models.sdxl(demo_model)), alpha=1.0),
    }
    files = {
        reason: write(directory / f"{index}.safetensors", tensors)
        for index, (reason, tensors) in enumerate(contents.items())
    }
    metadata = {LORA_ADAPTER_METADATA_KEY: json.dumps({"unet.lora_alpha": "much"})}
    files["has invalid peft metadata"] = write(directory / "metadata.safetensors", whole, **metadata)
    truncated = write(directory / "truncated.safetensors", whole)
    truncated.path.write_bytes(truncated.path.read_bytes()[:-100])
    (directory / "text.safetensors").write_text("not a safetensors file")
    return files | {
        "is not a complete safetensors file": truncated,
        "is not a complete safetensors file, or has": file_at(directory / "text.safetensors"),
    }


def test_an_unusable_lora_is_refused_with_the_reason_and_other_requests_succeed(
    sd_harness: AdapterHarness, demo_model: Path, tmp_path: Path
) -> None:
    files = unusable(sd_harness, demo_model, tmp_path)
    good = write_lora(sd_harness, tmp_path, "good")
    plain, adapted = sd_harness.generate(), sd_harness.generate(**with_loras(good))
    running = [sd_harness.add_request(), sd_harness.add_request(**with_loras(good))]
    for reason, file in files.items():
        error = sd_harness.add_request(**with_loras(good, file)).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert error.code == ErrorCode.ADAPTER_UNUSABLE
        assert [wrong.pointer for wrong in error.errors] == ["#/loras/1/name"]
        assert reason in error.detail
        assert f"{file.name!r}" in error.detail
        sd_harness.step()
    assert sd_harness.finish(*running) == [plain, adapted]
    assert [sd_harness.generate(), sd_harness.generate(**with_loras(good))] == [plain, adapted]


def test_a_lora_that_fails_to_load_is_removed_completely(
    sd_harness: AdapterHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before, plain = (
        write_lora(sd_harness, tmp_path),
        modules(sd_harness.pipeline),
        sd_harness.generate(),
    )

    def raise_out_of_memory(*_args: Any, **_options: Any) -> None:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr("inference.diffusion.adapters.loras.LowRankWeights", raise_out_of_memory)
        task = sd_harness.add_request(**with_loras(file))
    assert isinstance(task.future.exception(0), OutOfMemoryError)
    assert modules(sd_harness.pipeline) == before
    assert sd_harness.generate() == plain != sd_harness.generate(**with_loras(file))


def test_lora_weights_have_the_models_dtype(sd_harness: AdapterHarness, tmp_path: Path) -> None:
    file = write_lora(sd_harness, tmp_path)
    sd_harness.pipeline.to(torch.bfloat16)
    harness = AdapterHarness(sd_harness.pipeline)
    plain = harness.generate()
    assert harness.generate(**with_loras(file)) != plain
    layers = [layer for _, layer in modules(harness.pipeline) if isinstance(layer, LowRankLayer)]
    assert {values.dtype for layer in layers for term in layer.terms for values in term[:2]} == {
        torch.bfloat16
    }
    assert harness.generate() == plain
