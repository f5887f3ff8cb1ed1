from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.side_stream import SideStream
from inference.models.errors import UnusableModelError
from inference.models.loading import load_pipeline
from tests.inference import tiny_models
from tests.inference.generations import landscape
from tests.inference.models.json_files import edit

CPU = torch.device("cpu")


def test_deprecated_names_of_the_vaes_attention_are_converted(model: Path) -> None:
    path = model / "vae/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    current, deprecated = ("to_q", "to_k", "to_v", "to_out.0"), ("query", "key", "value", "proj_attn")
    renamed = {}
    for name, tensor in tensors.items():
        for new, old in zip(current, deprecated, strict=True):
            name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = tensor
    assert renamed.keys() != tensors.keys()
    save_file(renamed, path)
    loaded = load_pipeline(model).vae.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize(
    ("family", "dtype", "vae_dtype"),
    [
        ("sd", torch.float16, torch.float16),
        ("sdxl", torch.float16, torch.float32),
        ("sdxl", torch.bfloat16, torch.bfloat16),
    ],
)
def test_a_vae_that_overflows_fp16_is_loaded_in_fp32(
    demo_model: Path, tmp_path: Path, family: str, dtype: torch.dtype, vae_dtype: torch.dtype
) -> None:
    """Its latents still have the dtype of the UNet."""
    getattr(tiny_models, family)(demo_model).save_pretrained(tmp_path)
    pipeline = load_pipeline(tmp_path, device=CPU, dtype=dtype)
    assert (pipeline.unet.dtype, pipeline.vae.dtype) == (dtype, vae_dtype)
    autoencoder = Autoencoder(pipeline)
    with torch.inference_mode():
        latents = autoencoder.encode(autoencoder.pixels(landscape()), pytest.fail)(torch.Generator("cpu"))
        decoded = autoencoder.decode(latents, pytest.fail, SideStream(None))
        assert decoded.finish(pytest.fail)().size == (64, 64)
    assert latents.dtype == dtype


def test_an_invalid_configuration_is_refused(model: Path) -> None:
    edit(model / "unet/config.json", down_block_types=["DownBlock2D"])
    with pytest.raises(UnusableModelError, match=r"unet/config\.json does not describe a valid module"):
        load_pipeline(model)


@pytest.mark.parametrize(
    ("name", "setting"),
    [("unet", "layers_per_block"), ("vae", "layers_per_block"), ("text_encoder", "num_hidden_layers")],
)
def test_a_configuration_of_more_layers_than_there_are_weights_is_refused(
    model: Path, name: str, setting: str
) -> None:
    """Such a module would take hours to build."""
    edit(model / name / "config.json", **{setting: 10**9})
    with pytest.raises(UnusableModelError, match=rf"{name}/config\.json describes a larger module"):
        load_pipeline(model)
