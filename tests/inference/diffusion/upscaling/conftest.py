import pytest

from inference.diffusion.upscaling import upscaler_file


@pytest.fixture(autouse=True)
def _no_trial(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Omits the trial in a child process, which takes seconds, except in its own tests."""
    if "trial" not in request.fixturenames:
        monkeypatch.setattr(upscaler_file, "_try", lambda _: None)


@pytest.fixture
def trial() -> None:
    """For the tests of the trial in a child process."""
