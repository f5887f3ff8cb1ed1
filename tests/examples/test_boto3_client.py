"""boto3_client.py with the local stack."""

from pathlib import Path

from tests.examples.conftest import Run, sizes

NAME = "boto3_client.py"


def test_the_images_are_saved(run: Run, endpoint: list[str], tmp_path: Path) -> None:
    fields = '{"count": 2, "steps": 2, "width": 64, "height": 96}'
    done = run(NAME, "a red circle", *endpoint, "--fields", fields)
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path / "out") == [(64, 96), (64, 96)]
    for path in (tmp_path / "out").iterdir():
        assert f"-> out/{path.name}" in done.stdout


def test_the_file_has_the_suffix_of_the_output_format(run: Run, endpoint: list[str], tmp_path: Path) -> None:
    fields = '{"steps": 1, "width": 64, "height": 64, "output_format": "webp"}'
    assert run(NAME, "a red circle", *endpoint, "--fields", fields).returncode == 0
    (path,) = (tmp_path / "out").iterdir()
    assert path.suffix == ".webp"


def test_an_invalid_request_ends_with_the_problem(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", *endpoint, "--fields", '{"width": 100}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: The request is not valid: width: must be a multiple of 8 (validation_failed)\n"
    )


def test_a_timeout_names_the_output_location(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", *endpoint, "--fields", '{"steps": 100}', "--timeout-s", "0")
    assert done.returncode == 1
    assert "timed out; the result may still be stored at s3://" in done.stderr


def test_a_missing_endpoint_is_an_error_with_its_name(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", "--endpoint", "missing", *endpoint[2:])
    assert done.returncode == 1
    assert "Endpoint missing of account not found" in done.stderr
