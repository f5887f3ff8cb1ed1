"""sagemaker_sdk.py with the local stack, in the virtual environment that `make test` creates."""

from pathlib import Path

from tests.examples.conftest import Run, sizes

NAME = "sagemaker_sdk.py"


def test_the_images_are_saved(run: Run, endpoint: list[str], sdk_python: str, tmp_path: Path) -> None:
    done = run(
        NAME,
        "a red circle",
        *endpoint,
        "--fields",
        '{"count": 2, "steps": 2, "width": 64}',
        python=sdk_python,
    )
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path / "out") == [(64, 128), (64, 128)]


def test_an_invalid_request_ends_with_the_problem(run: Run, endpoint: list[str], sdk_python: str) -> None:
    done = run(NAME, "a red circle", *endpoint, "--fields", '{"width": 100}', python=sdk_python)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error: The request is not valid: width: must be a multiple of 8 (validation_failed)\n"
    )


def test_a_timeout_names_the_output_location(run: Run, endpoint: list[str], sdk_python: str) -> None:
    arguments = ["--fields", '{"steps": 100}', "--timeout-s", "0"]
    done = run(NAME, "a red circle", *endpoint, *arguments, python=sdk_python)
    assert done.returncode == 1
    assert "error: No result at s3://" in done.stderr
