from collections.abc import Iterator

import pytest

from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.upscaling import upscaler_file
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from tests.inference.diffusion.upscaling.upscaling_harness import CPU, UnusedWorker, UpscalingHarness


@pytest.fixture(autouse=True)
def _no_trial(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Omits the trial in a child process, which takes seconds, except in its own tests."""
    if "trial" not in request.fixturenames:
        monkeypatch.setattr(upscaler_file, "_try", lambda _: None)


@pytest.fixture
def trial() -> None:
    """For the tests of the trial in a child process."""


@pytest.fixture
def harness() -> UpscalingHarness:
    return UpscalingHarness()


@pytest.fixture
def engine() -> Iterator[EngineThread]:
    engine = EngineThread(UnusedWorker(), UpscalingLoop(CPU))
    yield engine
    engine.close()
