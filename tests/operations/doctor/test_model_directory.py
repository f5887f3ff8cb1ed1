import pytest

from operations.doctor.model_directory import single_model, weights


@pytest.mark.parametrize(
    ("files", "loaded"),
    [
        (["vae/model.safetensors", "vae/model.bin", "unet/config.json"], ["vae/model.safetensors"]),
        (["vae/model.safetensors", "vae/model.fp16.safetensors"], ["vae/model.fp16.safetensors"]),
        (
            ["unet/model.fp16-00001-of-00002.safetensors", "unet/model.fp16-00002-of-00002.safetensors"],
            ["unet/model.fp16-00001-of-00002.safetensors", "unet/model.fp16-00002-of-00002.safetensors"],
        ),
        (["unet/model.fp16.safetensors", "vae/model.safetensors"],) * 2,
        (["unet/model.non_ema.safetensors", "whole-checkpoint.safetensors"], []),
    ],
)
def test_weights_are_the_files_that_the_container_loads(files: list[str], loaded: list[str]) -> None:
    assert weights(files) == loaded


@pytest.mark.parametrize(
    ("files", "single"),
    [
        (["model.safetensors", "config/notes.txt"], "model.safetensors"),
        (["model.tar.gz"], "model.tar.gz"),
        (["a.safetensors", "b.ckpt"], None),
        (["model_index.json", "model.safetensors"], None),
        (["unet/model.safetensors"], None),
    ],
)
def test_a_single_model_is_the_only_model_file_without_an_index(files: list[str], single: str | None) -> None:
    assert single_model(files) == single
