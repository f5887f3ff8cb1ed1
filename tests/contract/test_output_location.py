"""Locations of images in S3, and the prefixes that a stage accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.identifiers import S3Location
from contract.output_location import check_output, output_locations
from contract.request import JobRequest
from tests.inference.generations import generation_of

PART = st.text(
    st.characters(codec="utf-8", exclude_characters="/", categories=("L", "N", "P")), min_size=1
).filter(lambda part: part not in (".", ".."))
PREFIXES = st.lists(PART, min_size=1, max_size=4).map(lambda parts: f"s3://bucket/{'/'.join(parts)}/")


def test_without_a_prefix_images_are_stored_in_the_data_bucket() -> None:
    generation = generation_of(count=2, output_format="webp")
    assert output_locations(generation, "data") == tuple(
        S3Location("data", f"outputs/{generation.id}/{index}.webp") for index in (0, 1)
    )


@given(PREFIXES)
def test_with_a_prefix_images_are_stored_under_the_jobs_id_there(prefix: str) -> None:
    generation = generation_of(count=2, output_s3_uri=prefix)
    uris = [each.uri for each in output_locations(generation, "data")]
    assert uris == [f"{prefix}{generation.id}/{index}.png" for index in (0, 1)]


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket/a/",
        "s3://bucket/",
        "s3://bucket/a",
        "s3://bucket/a/../b/",
        "s3://bucket//a/",
        "s3://b/a\n/",
    ],
)
def test_a_uri_that_is_no_plain_prefix_is_invalid(uri: str) -> None:
    with pytest.raises(ValidationError):
        JobRequest.model_validate({"prompt": "x", "output_s3_uri": uri})


@given(PREFIXES, st.lists(PREFIXES, max_size=3), st.lists(PART, max_size=2))
def test_a_prefix_and_everything_below_it_is_accepted(
    allowed: str, others: list[str], names: list[str]
) -> None:
    uri = allowed + "".join(f"{name}/" for name in names)
    assert check_output(uri, [*others, allowed]) is None
    assert check_output(None, others) is None


@given(PREFIXES, PREFIXES)
def test_a_prefix_beside_the_accepted_ones_is_refused_with_them(uri: str, allowed: str) -> None:
    error = check_output(uri, [allowed])
    assert (error is None) == uri.startswith(allowed)
    assert error is None or (error.pointer == "#/output_s3_uri" and allowed in error.detail)


def test_a_prefix_that_only_begins_like_an_accepted_one_is_refused() -> None:
    for uri in ("s3://bucket/images2/", "s3://bucket2/images/", "s3://bucket/"):
        assert check_output(uri, ["s3://bucket/images/"]) is not None


def test_a_stage_without_output_prefixes_says_that_the_field_must_be_left_out() -> None:
    error = check_output("s3://bucket/a/", ())
    assert error is not None
    assert error.detail == "this stage stores images in its data bucket only; leave it out"
