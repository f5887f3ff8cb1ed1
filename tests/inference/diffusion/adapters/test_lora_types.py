"""LoRA files of every type, as trainers write them, compared with a model with changed weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.adapters.lora_file import check_lora_file
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import (
    AdapterHarness,
    check_close,
    generate_with_diffusers,
    with_loras,
)
from tests.inference.generations import generation_of
from tests.inference.tiny_adapters import lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

Tensors = dict[str, torch.Tensor]
RANK, ALPHA, STRENGTH = 2, 1.5, 0.7
LINEAR = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
CONVOLUTION = "mid_block.resnets.0.conv1"
PROJECTION = "mid_block.attentions.0.proj_in"
NORM = "mid_block.attentions.0.norm"
TEXT = "encoder.layers.0.mlp.fc1"


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return 0.5 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def kohya(layer: str) -> str:
    return f"lora_unet_{layer.replace('.', '_')}"


def _pair(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return numbers(RANK, *weight.shape[1:]), numbers(len(weight), RANK)


def locon(weight: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    outputs, inputs, *side = weight.shape
    down, mid, up = numbers(RANK, inputs, 1, 1), numbers(RANK, RANK, *side), numbers(outputs, RANK, 1, 1)
    parts = {"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up}
    core = torch.einsum("ab...,bc->ac...", mid, down[:, :, 0, 0])
    change = ALPHA / RANK * torch.einsum("oa,ac...->oc...", up[:, :, 0, 0], core)
    return parts, weight + STRENGTH * change


def loha(weight: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    (one, first), (other, second) = _pair(weight.flatten(1)), _pair(3 * weight.flatten(1))
    parts = {"hada_w1_a": first, "hada_w1_b": one, "hada_w2_a": 2 * second, "hada_w2_b": other}
    change = ALPHA / RANK * (first @ one) * (2 * second @ other)
    return parts, weight + STRENGTH * change.reshape(weight.shape)


def lokr(weight: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    first, second = numbers(2, 2), numbers(len(weight) // 2, weight[0].numel() // 2)
    second = second.reshape(len(weight) // 2, weight.shape[1] // 2, *weight.shape[2:])
    ones = [1] * (weight.ndim - 2)
    change = torch.kron(first.reshape(2, 2, *ones), second)
    return {"lokr_w1": first, "lokr_w2": second}, weight + STRENGTH * change


def dora(weight: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    down, up = _pair(weight)
    sum_of_both = weight + ALPHA / RANK * (up @ down.flatten(1)).reshape(weight.shape)
    dimensions = [each for each in range(weight.ndim) if each != 1]
    scale = numbers(1, weight.shape[1], *[1] * (weight.ndim - 2)).abs() + 0.5
    rescaled = scale * sum_of_both / sum_of_both.square().sum(dimensions, keepdim=True).sqrt()
    up = up.reshape(*up.shape, *[1] * (weight.ndim - 2))
    parts = {"lora_down.weight": down, "lora_up.weight": up, "dora_scale": scale}
    return parts, weight + STRENGTH * (rescaled - weight)


def full(weight: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    change = numbers(*weight.shape)
    return {"diff": change}, weight + STRENGTH * change


Writer = Callable[[torch.Tensor], tuple[Tensors, torch.Tensor]]
TYPES: dict[str, tuple[Writer, tuple[str, ...]]] = {
    "LoCon": (locon, (CONVOLUTION,)),
    "LoHa": (loha, (LINEAR, CONVOLUTION)),
    "LoKr": (lokr, (LINEAR, CONVOLUTION)),
    "DoRA": (dora, (LINEAR, CONVOLUTION)),
    "full difference": (full, (LINEAR, CONVOLUTION)),
}


@pytest.fixture
def harness(demo_model: Path) -> AdapterHarness:
    return AdapterHarness(tiny_models.sd(demo_model))


def generate_with(pipeline: Any, **request: Any) -> bytes:
    name = type(pipeline).__name__
    return generate_with_diffusers(pipeline, name, generation_of(**request), width=64, height=64)


def strong(*files: AdapterFile) -> dict[str, Any]:
    return with_loras(*files, weights=(STRENGTH,) * len(files))


@pytest.mark.parametrize("name", TYPES)
def test_the_image_is_that_of_a_model_with_changed_weights(
    name: str, harness: AdapterHarness, demo_model: Path, tmp_path: Path
) -> None:
    writer, layers = TYPES[name]
    reference, tensors = tiny_models.sd(demo_model), {}
    for layer in layers:
        module = reference.unet.get_submodule(layer)
        parts, changed = writer(module.weight.detach())
        module.weight.data = changed
        tensors |= {f"{kohya(layer)}.{part}": values for part, values in parts.items()}
        tensors[f"{kohya(layer)}.alpha"] = torch.tensor(ALPHA)
    file = write(tmp_path / "a.safetensors", tensors)
    plain = harness.generate()
    ours = harness.generate(**strong(file))
    assert ours != plain
    check_close(ours, generate_with(reference))
    assert harness.generate() == plain


def test_every_naming_of_a_layer_gives_the_same_image(harness: AdapterHarness, tmp_path: Path) -> None:
    layer = harness.pipeline.unet.get_submodule(LINEAR)
    down, up = _pair(layer.weight)
    spellings = [
        (f"{kohya(LINEAR)}.lora_down.weight", f"{kohya(LINEAR)}.lora_up.weight"),
        (f"unet.{LINEAR}.lora_A.weight", f"unet.{LINEAR}.lora_B.weight"),
        (f"unet.{LINEAR}.lora.down.weight", f"unet.{LINEAR}.lora.up.weight"),
        (f"{LINEAR}.lora_A.weight", f"{LINEAR}.lora_B.weight"),
        (
            f"base_model.model.{LINEAR}.lora_A.default.weight",
            f"base_model.model.{LINEAR}.lora_B.default.weight",
        ),
        tuple(
            f"unet.{LINEAR.replace('to_q', f'processor.to_q_lora.{half}')}.weight" for half in ("down", "up")
        ),
        tuple(
            f"diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.lora_{half}.weight"
            for half in ("down", "up")
        ),
    ]
    images = {
        harness.generate(
            **with_loras(write(tmp_path / f"{index}.safetensors", {names[0]: down, names[1]: up}))
        )
        for index, names in enumerate(spellings)
    }
    assert len(images) == 1
    assert images != {harness.generate()}


def test_a_linear_layer_in_a_file_fits_a_convolution_of_one_pixel(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    weight = harness.pipeline.unet.get_submodule(PROJECTION).weight
    assert weight.ndim == 4
    down, up = _pair(weight)
    in_four, in_two = (
        write(
            tmp_path / f"{name}.safetensors",
            {
                f"{kohya(PROJECTION)}.lora_down.weight": each[0],
                f"{kohya(PROJECTION)}.lora_up.weight": each[1],
            },
        )
        for name, each in {"four": (down, up[:, :, None, None]), "two": (down.flatten(1), up)}.items()
    )
    assert harness.generate(**with_loras(in_four)) == harness.generate(**with_loras(in_two))
    assert harness.generate(**with_loras(in_two)) != harness.generate()


def test_norms_biases_and_text_encoders_are_changed(
    harness: AdapterHarness, demo_model: Path, tmp_path: Path
) -> None:
    reference = tiny_models.sd(demo_model)
    norm, linear = reference.unet.get_submodule(NORM), reference.unet.get_submodule(LINEAR)
    text = reference.text_encoder.get_submodule(TEXT)
    down, up = _pair(linear.weight)
    changes = {
        "weight": numbers(*norm.weight.shape),
        "bias": numbers(*norm.bias.shape, seed=1),
        "linear_bias": numbers(*linear.weight.shape[:1], seed=2),
        "text": numbers(*text.weight.shape),
        "text_bias": numbers(*text.bias.shape),
    }
    assert linear.bias is None
    te = f"lora_te_text_model_{TEXT.replace('.', '_')}"
    file = write(
        tmp_path / "a.safetensors",
        {
            f"{kohya(NORM)}.w_norm": changes["weight"],
            f"{kohya(NORM)}.b_norm": changes["bias"],
            f"{kohya(LINEAR)}.lora_down.weight": down,
            f"{kohya(LINEAR)}.lora_up.weight": up,
            f"{kohya(LINEAR)}.diff_b": changes["linear_bias"],
            f"{te}.diff": changes["text"],
            f"{te}.diff_b": changes["text_bias"],
        },
    )
    norm.weight.data += STRENGTH * changes["weight"]
    norm.bias.data += STRENGTH * changes["bias"]
    linear.weight.data += STRENGTH * up @ down
    linear.bias = torch.nn.Parameter(STRENGTH * changes["linear_bias"])
    text.weight.data += STRENGTH * changes["text"]
    text.bias.data += STRENGTH * changes["text_bias"]
    plain = harness.generate()
    check_close(harness.generate(**strong(file)), generate_with(reference))
    assert harness.generate() == plain
    assert harness.pipeline.unet.get_submodule(LINEAR).bias is None


def test_files_of_every_type_are_stacked_and_leave_no_trace(harness: AdapterHarness, tmp_path: Path) -> None:
    unet = harness.pipeline.unet
    files = []
    for index, (writer, layers) in enumerate(TYPES.values()):
        tensors = {}
        for layer in layers:
            parts = writer(unet.get_submodule(layer).weight.detach())[0]
            tensors |= {f"{kohya(layer)}.{part}": values for part, values in parts.items()}
        files.append(write(tmp_path / f"{index}.safetensors", tensors))
    files.append(write(tmp_path / "plain.safetensors", lora(harness.pipeline)))
    before = {name: values.clone() for name, values in unet.state_dict().items()}
    alone = [harness.generate(**strong(file)) for file in files]
    together = harness.generate(**strong(*files))
    assert len({*alone, together, harness.generate()}) == len(files) + 2
    tasks = [harness.add_request(**strong(file)) for file in files]
    assert harness.finish(*tasks) == alone
    assert harness.generate(**strong(*reversed(files))) != harness.generate()
    harness.loop._components.adapters.activate([()])
    after = {name.replace(".base_layer", ""): values for name, values in unet.state_dict().items()}
    assert all(torch.equal(values, after[name]) for name, values in before.items())


def test_a_file_of_rank_0_changes_nothing(harness: AdapterHarness, tmp_path: Path) -> None:
    weight = harness.pipeline.unet.get_submodule(LINEAR).weight
    tensors = {
        f"{kohya(LINEAR)}.lora_down.weight": torch.ones(0, weight.shape[1]),
        f"{kohya(LINEAR)}.lora_up.weight": torch.ones(weight.shape[0], 0),
        f"{kohya(LINEAR)}.alpha": torch.tensor(0.0),
    }
    assert harness.generate(**with_loras(write(tmp_path / "a.safetensors", tensors))) == harness.generate()


def test_values_beyond_the_models_precision_are_refused(demo_model: Path, tmp_path: Path) -> None:
    harness = AdapterHarness(tiny_models.sd(demo_model).to(torch.float16))
    weight = harness.pipeline.unet.get_submodule(LINEAR).weight
    for index, parts in enumerate(
        (
            {"diff": torch.full(weight.shape, 1e5)},
            {
                "lora_down.weight": torch.full((1, weight.shape[1]), 1e5),
                "lora_up.weight": torch.ones(len(weight), 1),
            },
        )
    ):
        tensors = {f"{kohya(LINEAR)}.{part}": values for part, values in parts.items()}
        task = harness.add_request(**with_loras(write(tmp_path / f"{index}.safetensors", tensors)))
        error = task.future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert "exceed the range of torch.float16" in error.detail
        assert [wrong.pointer for wrong in error.errors] == ["#/loras/0/name"]


def test_sdxls_own_names_and_both_text_encoders(demo_model: Path, tmp_path: Path) -> None:
    harness, reference = AdapterHarness(tiny_models.sdxl(demo_model)), tiny_models.sdxl(demo_model)
    layers = {
        "lora_unet_label_emb_0_0": reference.unet.add_embedding.linear_1,
        "lora_unet_add_embedding_linear_2": reference.unet.add_embedding.linear_2,
        "lora_unet_middle_block_0_in_layers_2": reference.unet.mid_block.resnets[0].conv1,
        "lora_te1_text_model_encoder_layers_0_mlp_fc1": reference.text_encoder.get_submodule(TEXT),
        "lora_te2_text_model_encoder_layers_1_self_attn_v_proj": reference.text_encoder_2.get_submodule(
            "text_model.encoder.layers.1.self_attn.v_proj"
        ),
        "lora_te2_text_projection": reference.text_encoder_2.text_projection,
    }
    tensors = {}
    for name, module in layers.items():
        parts, changed = loha(module.weight.detach())
        module.weight.data = changed
        tensors |= {f"{name}.{part}": values for part, values in parts.items()}
        tensors[f"{name}.alpha"] = torch.tensor(ALPHA)
    file = write(tmp_path / "a.safetensors", tensors)
    ours = harness.generate(**strong(file))
    assert ours != harness.generate()
    check_close(ours, generate_with(reference))


def test_textual_inversions_in_the_file_are_used_in_prompts(harness: AdapterHarness, tmp_path: Path) -> None:
    tensors = lora(harness.pipeline)
    alone = write(tmp_path / "alone.safetensors", tensors)
    tokens = {"<moon>": numbers(2, 32), "sun.v2": numbers(1, 32)}
    bundled = {
        "bundle_emb.<moon>.string_to_param.*": tokens["<moon>"],
        "bundle_emb.sun.v2.emb_params": tokens["sun.v2"],
    }
    file = write(tmp_path / "bundle.safetensors", tensors | bundled)
    embeddings = tuple(
        write(tmp_path / f"{index}.safetensors", {"emb_params": vectors})
        for index, vectors in enumerate(tokens.values())
    )
    embeddings = tuple(
        AdapterFile(name, each.path, each.version) for name, each in zip(tokens, embeddings, strict=True)
    )
    prompt = "a <moon> and a sun.v2"
    images = [
        harness.generate(
            Inputs(adapters=Adapters(loras=(lora_file,), embeddings=of_prompt)),
            loras=[{"name": lora_file.name}],
            embeddings=[each.name for each in of_prompt],
            prompt=prompt,
        )
        for lora_file, of_prompt in ((file, ()), (alone, embeddings), (alone, ()))
    ]
    assert images[0] == images[1] != images[2]


def test_a_textual_inversion_in_the_file_that_does_not_fit_is_refused_at_the_lora(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    tensors = lora(harness.pipeline) | {"bundle_emb.sun.emb_params": numbers(1, 48)}
    task = harness.add_request(**with_loras(write(tmp_path / "a.safetensors", tensors)))
    error = task.future.exception(0)
    assert isinstance(error, AdapterUnusableError)
    assert "The LoRA 'a' has vectors of width 48" in error.detail
    assert [wrong.pointer for wrong in error.errors] == ["#/loras/0/name"]


def test_the_type_of_a_file_is_checked_without_a_model(harness: AdapterHarness, tmp_path: Path) -> None:
    tensors = lora(harness.pipeline) | {"bundle_emb.sun.emb_params": numbers(1, 32)}
    check_lora_file(write(tmp_path / "good.safetensors", tensors).path)
    for name, reason in {"unet.conv_in.oft_diag": "is an OFT", "unet.x": "unknown type, unet.x"}.items():
        file = write(tmp_path / "bad.safetensors", {**tensors, name: numbers(1)})
        with pytest.raises(AdapterFileError, match=reason):
            check_lora_file(file.path)
