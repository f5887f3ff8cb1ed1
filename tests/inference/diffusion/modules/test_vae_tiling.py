"""VAE tiling as a fallback for running out of memory."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.modules.vae_tiling import with_tiling_fallback
from tests.inference import tiny_models


@pytest.fixture(scope="module")
def vae(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model).vae


def test_no_fallback_is_recorded_when_the_whole_image_fits(vae: Any) -> None:
    fallbacks: list[str] = []
    assert with_tiling_fallback(vae, lambda: vae.use_tiling, fallbacks.append) is False
    assert fallbacks == []


def test_tiling_is_disabled_again_when_tiles_do_not_fit_either(vae: Any) -> None:
    tiled: list[bool] = []

    def fail() -> None:
        tiled.append(vae.use_tiling)
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        with_tiling_fallback(vae, fail, lambda description: None)
    assert tiled == [False, True]
    assert not vae.use_tiling
