"""VAEs that take the place of a model's own, request by request."""

from pathlib import Path
from typing import Any

import pytest
from diffusers import AutoencoderKL

from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdaptedLoop, stock
from tests.inference.generations import generation_of, landscape
from tests.inference.tiny_adapters import file_at, vae, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

TEXT = "StableDiffusionPipeline"
IMAGE = "StableDiffusionImg2ImgPipeline"


@pytest.fixture
def loop(demo_model: Path) -> AdaptedLoop:
    return AdaptedLoop(tiny_models.sd(demo_model))


def with_vae(file: AdapterFile, **inputs: Any) -> dict[str, Any]:
    return {"inputs": Inputs(adapters=Adapters(vae=file), **inputs), "vae": file.name}


def in_a_file(directory: AdapterFile) -> AdapterFile:
    return file_at(directory.path / "diffusion_pytorch_model.safetensors")


@pytest.mark.parametrize("form", ["directory", "file"])
def test_pictures_are_read_and_made_by_it_as_in_diffusers(
    loop: AdaptedLoop, tmp_path: Path, form: str
) -> None:
    directory = vae(loop.pipeline, tmp_path / "other")
    file = directory if form == "directory" else in_a_file(directory)
    before = loop.draw()
    ours = loop.draw(**with_vae(file)), loop.draw(**with_vae(file, image=landscape()), strength=0.8)

    peer = loop.pipeline
    own, peer.vae = peer.vae, AutoencoderKL.from_pretrained(directory.path)
    from_text = stock(peer, TEXT, generation_of(), width=64, height=64)
    asked = generation_of(from_image=True, strength=0.8)
    from_image = stock(peer, IMAGE, asked, image=landscape(), strength=0.8)
    peer.vae = own
    assert ours == (from_text, from_image)
    assert loop.draw() == before != from_text


def test_it_does_not_decide_what_shares_a_forward_and_is_loaded_once(
    loop: AdaptedLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [vae(loop.pipeline, tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    alone = [loop.draw(), *(loop.draw(**with_vae(file)) for file in files)]
    with monkeypatch.context() as patch:
        patch.setattr("inference.diffusion.adapters.vaes.load_component", None)
        tasks = [loop.add_request(), *(loop.add_request(**with_vae(file)) for file in files)]
        drawn = loop.finish(*tasks)
    assert [task.future.result(0).batch_size for task in tasks] == [4, 4, 4]
    assert len(set(drawn)) == len(set(alone)) == 3


def test_one_that_cannot_be_used_is_refused_in_words_and_the_next_request_succeeds(
    loop: AdaptedLoop, tmp_path: Path
) -> None:
    own = loop.pipeline
    good = vae(own, tmp_path / "good")
    truncated = in_a_file(vae(own, tmp_path / "truncated"))
    truncated.path.write_bytes(truncated.path.read_bytes()[:-100])
    own.unet.save_pretrained(tmp_path / "unet")
    foreign = {"encoder.weight": next(own.unet.parameters()).detach().contiguous()}
    files = {
        "its latent_channels differs": vae(own, tmp_path / "channels", latent_channels=8),
        "its scaling_factor differs": vae(own, tmp_path / "scaling", scaling_factor=0.13025),
        "latents of another size": vae(
            own,
            tmp_path / "small",
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        ),
        "has weights that are damaged": truncated,
        "is no AutoencoderKL": file_at(tmp_path / "unet"),
        "lacks weights": write(tmp_path / "foreign.safetensors", foreign),
    }
    drawn = loop.draw(**with_vae(good))
    for reason, file in files.items():
        error = loop.add_request(**with_vae(file)).future.exception(0)
        assert isinstance(error, AdapterUnusableError)
        assert [wrong.pointer for wrong in error.errors] == ["#/vae"]
        assert reason in error.detail
        assert loop.draw(**with_vae(good)) == drawn
