"""Straight to the endpoint with boto3, at the local stack."""

from pathlib import Path

from tests.examples.conftest import Run, sizes

NAME = "boto3_client.py"


def test_it_saves_the_images_of_its_request(run: Run, endpoint: list[str], tmp_path: Path) -> None:
    fields = '{"count": 2, "steps": 2, "width": 64, "height": 96}'
    done = run(NAME, "a red circle", *endpoint, "--fields", fields)
    assert done.returncode == 0, done.stderr
    assert sizes(tmp_path / "out") == [(64, 96), (64, 96)]
    for path in (tmp_path / "out").iterdir():
        assert f"-> out/{path.name}" in done.stdout


def test_an_image_is_saved_by_its_format(run: Run, endpoint: list[str], tmp_path: Path) -> None:
    fields = '{"steps": 1, "width": 64, "height": 64, "output_format": "webp"}'
    assert run(NAME, "a red circle", *endpoint, "--fields", fields).returncode == 0
    (path,) = (tmp_path / "out").iterdir()
    assert path.suffix == ".webp"


def test_a_request_that_the_container_refuses_ends_with_its_words(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", *endpoint, "--fields", '{"width": 100}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: The request is not valid: width: must be a multiple of 8 (validation_failed)\n"
    )


def test_without_time_it_says_where_the_result_may_still_come(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", *endpoint, "--fields", '{"steps": 100}', "--timeout-s", "0")
    assert done.returncode == 1
    assert "time is up; the result may still come to s3://" in done.stderr


def test_an_endpoint_that_does_not_exist_is_named(run: Run, endpoint: list[str]) -> None:
    done = run(NAME, "a red circle", "--endpoint", "nowhere", *endpoint[2:])
    assert done.returncode == 1
    assert "Endpoint nowhere of account not found" in done.stderr
