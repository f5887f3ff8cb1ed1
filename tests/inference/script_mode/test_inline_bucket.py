"""Image files in the response, without a data bucket."""

import base64
from typing import Any

import pytest

from contract.identifiers import InvocationId, S3Location, new_job_id
from contract.progress import Phase, Progress
from contract.result import GenerationResult, ImageResult
from contract.safety import SafetyMode, SafetyReport
from inference.script_mode.inline_bucket import NO_BUCKET, InlineBucket
from tests.inference.fake_engine import BUCKET


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


def store(bucket: InlineBucket, key: str, data: bytes) -> str:
    location = S3Location(NO_BUCKET, key)
    bucket.store_image(location, data, "image/png")
    return location.uri


def test_images_are_attached_in_base64_in_their_order(bucket: InlineBucket) -> None:
    uris = [store(bucket, f"outputs/J/{index}.png", data) for index, data in enumerate((b"a", b"b"))]
    images = bucket.attach_images(result(uris[1], None, uris[0])).images
    assert [image.s3_uri for image in images] == [None] * 3
    assert [image.data and base64.b64decode(image.data) for image in images] == [b"b", None, b"a"]


def test_images_of_a_request_with_an_output_prefix_are_stored_there(s3: Any) -> None:
    bucket, location = InlineBucket(s3), S3Location(BUCKET, "images/J/0.png")
    bucket.store_image(location, b"a", "image/png")
    assert s3.get_object(Bucket=BUCKET, Key=location.key)["Body"].read() == b"a"
    (image,) = bucket.attach_images(result(location.uri)).images
    assert (image.s3_uri, image.data) == (location.uri, None)
    bucket.delete_images([location.uri])
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_files_are_not_held_after_a_job_whether_it_succeeds_or_fails(bucket: InlineBucket) -> None:
    failed = store(bucket, "outputs/F/0.png", b"a")
    uri = store(bucket, "outputs/J/0.png", b"b")
    bucket.attach_images(result(uri))
    for each in (failed, uri):
        with pytest.raises(KeyError):
            bucket.attach_images(result(each))


def test_deleted_images_are_not_held(bucket: InlineBucket) -> None:
    uri = store(bucket, "outputs/J/0.png", b"a")
    bucket.delete_images([uri])
    with pytest.raises(KeyError):
        bucket.attach_images(result(uri))


def test_starts_progress_and_previews_are_not_stored(bucket: InlineBucket) -> None:
    bucket.store_start(InvocationId(new_job_id(), 1))
    bucket.store_progress("J", Progress(phase=Phase.DENOISING, step=1, total_steps=4))
    assert not bucket.store_preview("J", b"jpeg")


def test_jobs_cannot_be_canceled(bucket: InlineBucket) -> None:
    assert not bucket.is_canceled("J")
