import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.doctor.model_paths import path_problems

NAME = st.text("ab.-_ é", min_size=1, max_size=6).filter(
    lambda name: name.strip() and name not in (".", "..")
)
PATH = st.lists(NAME, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        ([""], "'the prefix itself' is an object for a folder"),
        (["vae/", "vae/config.json"], "'vae/' is an object for a folder"),
        (["vae//config.json"], "empty, blank"),
        (["vae/ /config.json"], "empty, blank"),
        (["./config.json"], "relative"),
        (["../config.json"], "relative"),
        (["a\0b"], "empty, blank"),
        (["é" * 128], "too long"),
        (["weights", "weights/part1"], "'weights' is both a file and a directory"),
    ],
)
def test_names_that_sagemaker_refuses(paths: list[str], problem: str) -> None:
    (found,) = path_problems(paths)
    assert problem in found


@given(st.sets(PATH, max_size=8))
def test_a_path_is_accepted_if_a_file_system_can_hold_all_of_them(paths: set[str]) -> None:
    ambiguous = {path for path in paths if any(other.startswith(f"{path}/") for other in paths)}
    assert len(list(path_problems(paths))) == len(ambiguous)


def test_the_rules_are_those_of_sagemakers_api_reference() -> None:
    model = boto3.client("sagemaker", region_name="eu-west-1").meta.service_model
    text = model.shape_for("S3ModelDataSource").members["CompressionType"].documentation
    for rule in (
        "An empty or blank string",
        "A string which contains null bytes",
        "A string longer than 255 bytes",
        "A single dot (",
        "A double dot (",
        "Ambiguous file names will result in model deployment failure",
    ):
        assert rule in text
