"""Previews of the demo model's images: similar to the final image, and without any effect on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults
from contract.samplers import SAMPLERS
from inference.diffusion.loader import load_engine
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.linear_decoder import LinearDecoder
from inference.engine.interface import Callbacks, Engine, Inputs
from tests.inference.diffusion.denoising.loop_harness import LoopHarness
from tests.inference.generations import NO_CALLBACKS, generation_of, landscape
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")
MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=128, height=128, steps=20))

PROMPTS = [
    "a big red star on a yellow background",
    "a big blue circle on a white background",
    "a small white square on a black background",
    "a big white heart on a purple background",
]


@dataclass
class RecordedPreviews:
    """Claims a preview at every evaluation, or at those whose answers are given."""

    answers: list[bool] | None = None
    images: list[Image.Image] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def claim(self) -> bool:
        return self.answers.pop(0) if self.answers is not None else True

    def on_preview(self, image: Image.Image, step: int) -> None:
        self.images.append(image)
        self.steps.append(step)


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


def run(engine: Engine, callbacks: Callbacks, inputs: Inputs | None = None, **request: Any) -> Image.Image:
    """The first image of a request to the demo model."""
    settings = {"prompt": "a big red star on a yellow background", "seed": 1, **request}
    generation = generation_of(model=MODEL, from_image=inputs is not None, **settings)
    return engine.submit(generation, inputs or Inputs(), callbacks).result(LIMIT_S).images[0]


def similarity(preview: Image.Image, image: Image.Image) -> float:
    """The correlation of the preview with the image, reduced to the same size."""
    reduced = image.resize(preview.size, Image.Resampling.BOX)
    return float(np.corrcoef(np.asarray(preview).ravel(), np.asarray(reduced).ravel())[0, 1])


def test_previews_approach_their_image(engine: Engine) -> None:
    pairs = []
    for prompt in PROMPTS:
        previews = RecordedPreviews()
        pairs.append((previews.images, run(engine, Callbacks(previews=previews), prompt=prompt)))
        assert previews.steps == list(range(1, 21))
        assert {preview.size for preview in previews.images} == {(16, 16)}
    half, last = (
        float(np.mean([similarity(images[step], image) for images, image in pairs])) for step in (9, 19)
    )
    of_others = np.mean([similarity(pairs[0][0][-1], image) for _, image in pairs[1:]])
    assert last > half > 0.5
    assert last > 0.65 > of_others + 0.3


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_the_estimate_of_the_last_step_resembles_the_image_with_every_sampler(
    engine: Engine, sampler: str
) -> None:
    previews = RecordedPreviews()
    image = run(engine, Callbacks(previews=previews), sampler=sampler)
    assert similarity(previews.images[-1], image) > 0.6


@pytest.mark.parametrize("from_image", [False, True], ids=["text-to-image", "image-to-image"])
def test_previews_do_not_change_a_bit_of_the_images(engine: Engine, from_image: bool) -> None:
    request: dict[str, Any] = {"sampler": "euler_a", "steps": 6}
    if from_image:
        request |= {"inputs": Inputs(landscape((128, 128))), "strength": 0.7}
    before = run(engine, NO_CALLBACKS, **request).tobytes()
    previewed = run(engine, Callbacks(previews=RecordedPreviews()), **request).tobytes()
    assert before == previewed == run(engine, NO_CALLBACKS, **request).tobytes()


def test_a_preview_is_made_only_when_it_is_claimed_and_only_of_the_first_image(engine: Engine) -> None:
    previews = RecordedPreviews(answers=[True, False, True, False])
    first = RecordedPreviews()
    run(engine, Callbacks(previews=previews), steps=4, count=3)
    run(engine, Callbacks(previews=first), steps=4)
    assert previews.steps == [1, 3]
    assert previews.answers == []
    assert [each.tobytes() for each in previews.images] == [first.images[step].tobytes() for step in (0, 2)]


def test_without_previews_nothing_is_estimated_and_no_vae_is_fitted(
    loop: LoopHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("work for previews")

    monkeypatch.setattr(LinearDecoder, "fit", refuse)
    monkeypatch.setattr("inference.diffusion.denoising.slot.Slot.estimate", refuse)
    assert loop.finish(loop.add_request())


def test_a_vae_that_does_not_fit_in_memory_or_gives_nan_leaves_previews_out(
    loop: LoopHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    previews = RecordedPreviews()
    expected = loop.finish(loop.add_request())
    autoencoder = loop.components.autoencoder

    def run_out_of_memory(*_arguments: Any, **_options: Any) -> None:
        raise torch.OutOfMemoryError

    def return_nan(latents: torch.Tensor, **_options: Any) -> tuple[torch.Tensor]:
        return (torch.full((1, 3, latents.shape[2] * 8, latents.shape[3] * 8), torch.nan),)

    for decode in (run_out_of_memory, return_nan):
        with monkeypatch.context() as patch:
            patch.setattr(autoencoder._vae, "decode", decode)
            autoencoder.__dict__.pop("linear_decoder", None)
            assert autoencoder.linear_decoder is None
        task = loop.add_request(callbacks=Callbacks(previews=previews))
        assert loop.finish(task) == expected
    autoencoder.__dict__.pop("linear_decoder", None)
    assert previews.images == []


def test_a_vae_is_fitted_once_and_latents_of_any_size_are_converted(tiny_sd: Any) -> None:
    autoencoder = Autoencoder(tiny_sd)
    with torch.inference_mode():
        decoder = autoencoder.linear_decoder
    assert decoder is not None
    assert decoder is autoencoder.linear_decoder
    latents = np.zeros((4, 6, 9), np.float32)
    assert decoder.image(latents).size == (9, 6)


def test_a_linear_decoder_reproduces_a_linear_vae() -> None:
    weights = torch.tensor([[0.2, 0.1, 0.0], [-0.1, 0.2, 0.1], [0.0, -0.2, 0.2], [0.1, 0.0, -0.1]])

    def decode(latents: torch.Tensor) -> torch.Tensor:
        colours = torch.einsum("bchw,cr->brhw", latents, weights) + 0.1
        return torch.nn.functional.interpolate(colours, scale_factor=8)

    decoder = LinearDecoder.fit(4, decode)
    assert decoder is not None
    latents = torch.randn((1, 4, 5, 7), generator=torch.Generator().manual_seed(0)) * 0.5
    expected = (decode(latents)[0, :, ::8, ::8].clamp(-1, 1) + 1) * 127.5
    pixels = np.asarray(decoder.image(latents[0].numpy())).transpose(2, 0, 1)
    assert np.abs(pixels - expected.numpy()).max() < 1
