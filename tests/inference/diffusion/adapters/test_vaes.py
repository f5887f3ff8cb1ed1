"""VAEs that replace the model's own for single requests."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from contract.generation import InvalidRequestError
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile, Adapters, Inputs
from inference.models.loading import load_pipeline
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdapterHarness, generate_with_diffusers
from tests.inference.generations import generation_of, landscape
from tests.inference.models import ldm_layout
from tests.inference.tiny_adapters import file_at, vae, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

TEXT_TO_IMAGE = "StableDiffusionPipeline"
IMAGE_TO_IMAGE = "StableDiffusionImg2ImgPipeline"


@pytest.fixture
def harness(demo_model: Path) -> AdapterHarness:
    return AdapterHarness(tiny_models.sd(demo_model))


def with_vae(file: AdapterFile, **inputs: Any) -> dict[str, Any]:
    return {"inputs": Inputs(adapters=Adapters(vae=file), **inputs), "vae": file.name}


def weights_file(directory: AdapterFile) -> AdapterFile:
    return file_at(directory.path / "diffusion_pytorch_model.safetensors")


@pytest.mark.parametrize("form", ["directory", "file"])
def test_images_are_encoded_and_decoded_as_by_diffusers(
    harness: AdapterHarness, tmp_path: Path, form: str
) -> None:
    directory = vae(harness.pipeline, tmp_path / "other")
    file = directory if form == "directory" else weights_file(directory)
    before = harness.generate()
    ours = (
        harness.generate(**with_vae(file)),
        harness.generate(**with_vae(file, image=landscape()), strength=0.8),
    )

    reference = harness.pipeline
    own, reference.vae = reference.vae, AutoencoderKL.from_pretrained(directory.path)
    from_text = generate_with_diffusers(reference, TEXT_TO_IMAGE, generation_of(), width=64, height=64)
    generation = generation_of(from_image=True, strength=0.8)
    from_image = generate_with_diffusers(
        reference, IMAGE_TO_IMAGE, generation, image=landscape(), strength=0.8
    )
    reference.vae = own
    assert ours == (from_text, from_image)
    assert harness.generate() == before != from_text


def ldm_file(directory: AdapterFile, path: Path, prefix: str = "") -> AdapterFile:
    """The VAE of a directory as its trainer has saved it, beside the weights of the loss."""
    tensors = ldm_layout.vae_tensors(AutoencoderKL.from_pretrained(directory.path))
    tensors = {prefix + name: tensor.contiguous() for name, tensor in tensors.items()}
    tensors |= {
        "loss.logvar": torch.zeros(()),
        "loss.discriminator.main.0.weight": torch.zeros(4, 3, 4, 4),
        "model_ema.decay": torch.zeros(()),
    }
    if path.suffix == ".safetensors":
        return write(path, tensors)
    torch.save({"epoch": 3, "state_dict": tensors, "callbacks": {}}, path)
    return file_at(path)


@pytest.mark.parametrize("prefix", ["", "first_stage_model."])
@pytest.mark.parametrize("suffix", [".safetensors", ".vae.pt", ".ckpt"])
def test_a_file_with_the_names_of_the_original_code_gives_the_same_image(
    harness: AdapterHarness, tmp_path: Path, suffix: str, prefix: str
) -> None:
    directory = vae(harness.pipeline, tmp_path / "other")
    expected = harness.generate(**with_vae(directory))
    file = ldm_file(directory, tmp_path / f"single{suffix}", prefix)
    assert harness.generate(**with_vae(file)) == expected != harness.generate()


def test_a_pickled_file_with_the_names_of_diffusers_gives_the_same_image(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    directory = vae(harness.pipeline, tmp_path / "other")
    torch.save(load_file(weights_file(directory).path), tmp_path / "single.bin")
    file = file_at(tmp_path / "single.bin")
    assert harness.generate(**with_vae(file)) == harness.generate(**with_vae(directory))


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("decoder.", "lacks weights, for example decoder.conv_in.weight"),
        ("encoder.", "is not a complete VAE of Stable Diffusion"),
        ("decoder.mid.block_1.conv1.bias", "for example decoder.mid_block.resnets.0.conv1.bias"),
        ("encoder.down.0.block.0.conv1.weight", "for example encoder.down_blocks.0.resnets.0.conv1.weight"),
        ("decoder.up.0.block.0.conv1", "for example decoder.up_blocks."),
    ],
)
def test_a_file_of_the_original_code_that_lacks_weights_is_refused_with_the_name_of_one(
    harness: AdapterHarness, tmp_path: Path, missing: str, reason: str
) -> None:
    complete = ldm_file(vae(harness.pipeline, tmp_path / "other"), tmp_path / "single.safetensors")
    rest = {name: value for name, value in load_file(complete.path).items() if not name.startswith(missing)}
    error = harness.add_request(**with_vae(write(tmp_path / "half.safetensors", rest))).future.exception(0)
    assert isinstance(error, AdapterUnusableError)
    assert reason in error.detail


def test_a_file_of_another_number_of_latent_channels_is_refused(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    other = vae(harness.pipeline, tmp_path / "other", latent_channels=16)
    for file in (ldm_file(other, tmp_path / "single.safetensors"), weights_file(other)):
        error = harness.add_request(**with_vae(file)).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert "was made for another model family: its latent_channels differs" in error.detail


def test_requests_with_different_vaes_share_a_batch_and_each_vae_is_loaded_once(
    harness: AdapterHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [vae(harness.pipeline, tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    alone = [harness.generate(), *(harness.generate(**with_vae(file)) for file in files)]
    with monkeypatch.context() as patch:
        patch.setattr("inference.diffusion.adapters.vaes.load_component", None)
        tasks = [harness.add_request(), *(harness.add_request(**with_vae(file)) for file in files)]
        images = harness.finish(*tasks)
    assert [task.future.result(0).batch_size for task in tasks] == [3, 3, 3]
    assert len(set(images)) == len(set(alone)) == 3


def test_an_unusable_vae_is_refused_with_the_reason_and_the_next_request_succeeds(
    harness: AdapterHarness, tmp_path: Path
) -> None:
    own = harness.pipeline
    good = vae(own, tmp_path / "good")
    truncated = weights_file(vae(own, tmp_path / "truncated"))
    truncated.path.write_bytes(truncated.path.read_bytes()[:-100])
    own.unet.save_pretrained(tmp_path / "unet")
    foreign = {"encoder.weight": next(own.unet.parameters()).detach().contiguous()}
    files = {
        "its latent_channels differs": vae(own, tmp_path / "channels", latent_channels=8),
        "its scaling_factor differs": vae(own, tmp_path / "scaling", scaling_factor=0.13025),
        "another latent size": vae(
            own,
            tmp_path / "small",
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        ),
        "is not a complete safetensors file": truncated,
        "another class than AutoencoderKL": file_at(tmp_path / "unet"),
        "is not a complete VAE": write(tmp_path / "foreign.safetensors", foreign),
    }
    expected = harness.generate(**with_vae(good))
    for reason, file in files.items():
        error = harness.add_request(**with_vae(file)).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert [wrong.pointer for wrong in error.errors] == ["#/vae"]
        assert reason in error.detail
        assert harness.generate(**with_vae(good)) == expected


@pytest.mark.parametrize("form", ["directory", "file"])
def test_a_model_without_a_vae_works_with_the_vae_that_a_request_names(tmp_path: Path, form: str) -> None:
    complete = ldm_layout.pipeline("sd1")
    complete.vae.save_pretrained(tmp_path / "own")
    own = file_at(tmp_path / "own")
    file = own if form == "directory" else ldm_file(own, tmp_path / "own.ckpt")
    path = ldm_layout.write(complete, tmp_path / "model.safetensors")
    tensors = {n: t for n, t in load_file(path).items() if not n.startswith("first_stage_model.")}
    harness = AdapterHarness(load_pipeline(write(path, tensors).path))
    error = harness.add_request().future.exception(0)
    assert isinstance(error, InvalidRequestError)
    assert [wrong.pointer for wrong in error.errors] == ["#/vae"]
    assert "the model's file has no VAE; name one as `vae`" in error.errors[0].detail
    ours = harness.generate(**with_vae(file))
    assert ours == AdapterHarness(complete).generate()
