"""Image files in the response, without a data bucket."""

import base64

import pytest

from contract.identifiers import new_job_id
from contract.options import OutputFormat
from contract.result import GenerationResult, ImageResult
from contract.safety import SafetyMode, SafetyReport
from inference.script_mode.inline_bucket import InlineBucket


@pytest.fixture
def bucket() -> InlineBucket:
    return InlineBucket(None)


def result(*uris: str | None) -> GenerationResult:
    """A result with an image for each URI; None withholds the image."""
    return GenerationResult(
        id=new_job_id(),
        model="demo",
        images=tuple(
            ImageResult(s3_uri=uri, seed=seed, width=64, height=64, sha256=None, flags=())
            for seed, uri in enumerate(uris)
        ),
        sampler="euler",
        steps=4,
        guidance_scale=5.0,
        strength=None,
        batch_size=1,
        revision=None,
        fallbacks=(),
        safety=SafetyReport(mode=SafetyMode.OFF, detector=None),
        durations_s={},
        versions={},
    )


def test_images_are_attached_in_base64_in_their_order(bucket: InlineBucket) -> None:
    uris = [bucket.store_image("J", index, data, OutputFormat.PNG) for index, data in enumerate((b"a", b"b"))]
    images = bucket.attach_images(result(uris[1], None, uris[0])).images
    assert [image.s3_uri for image in images] == [None] * 3
    assert [image.data and base64.b64decode(image.data) for image in images] == [b"b", None, b"a"]


def test_files_are_not_held_after_a_job_whether_it_succeeds_or_fails(bucket: InlineBucket) -> None:
    failed = bucket.store_image("F", 0, b"a", OutputFormat.PNG)
    uri = bucket.store_image("J", 0, b"b", OutputFormat.PNG)
    bucket.attach_images(result(uri))
    for each in (failed, uri):
        with pytest.raises(KeyError):
            bucket.attach_images(result(each))


def test_deleted_images_are_not_held(bucket: InlineBucket) -> None:
    uri = bucket.store_image("J", 0, b"a", OutputFormat.PNG)
    bucket.delete_images([uri])
    with pytest.raises(KeyError):
        bucket.attach_images(result(uri))


def test_jobs_cannot_be_canceled(bucket: InlineBucket) -> None:
    assert not bucket.is_canceled("J")
