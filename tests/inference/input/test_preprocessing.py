import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pytest
from PIL import Image, ImageChops

from contract.generation import Generation
from contract.problem import ErrorCode
from contract.request import input_image_uris
from guarded_http.fetch_scope import FetchScope
from inference.engine.errors import InputError
from inference.input import decode_queue, preprocessing
from inference.input.image_preprocessing import PreprocessedInputs, preprocess_files
from inference.input.preprocessing import InputPreprocessor, delete_leftovers
from inference.isolation import Limits
from inference.observability.logs import ContextThreadPool
from tests.inference.fake_engine import ENVIRONMENT
from tests.inference.generations import generation_of
from tests.inference.input.image_files import encoded, noise
from tests.waiting import LIMIT_S

if TYPE_CHECKING:
    from inference.input.image_sources import ImageSources

MODEL = ENVIRONMENT.model
DEFAULT_AREA = MODEL.defaults.width * MODEL.defaults.height
URI = "s3://data/inputs/a.png"
CANNY = {"type": "canny", "image": URI}


class FakeSources:
    """Writes the files by their URIs; calls block until `together` files are requested."""

    def __init__(self, files: Mapping[str, bytes], *, together: int = 1) -> None:
        self.fetched: list[str] = []
        self.scopes: list[FetchScope] = []
        self._files = files
        self._together = threading.Barrier(together)

    def fetch(self, uri: str, pointer: str, target: BinaryIO, scope: FetchScope) -> None:
        self.fetched.append(uri)
        self.scopes.append(scope)
        self._together.wait(LIMIT_S)
        target.write(self._files[uri])


def preprocess(generation: Generation, sources: Any) -> PreprocessedInputs:
    with ContextThreadPool(max_workers=8) as executor:
        preprocessor = InputPreprocessor(sources=sources, environment=ENVIRONMENT, executor=executor)
        return asyncio.run(preprocessor.preprocess(generation))


def generation(**request: Any) -> Generation:
    return generation_of(model=MODEL, **request)


def uri(name: str) -> str:
    return f"s3://data/inputs/{name}"


def preprocessed(images: Mapping[str, Image.Image], **request: Any) -> PreprocessedInputs:
    """The result for images by pointer."""
    with TemporaryDirectory() as directory:
        files = {}
        for number, (pointer, image) in enumerate(images.items()):
            files[pointer] = Path(directory, str(number))
            files[pointer].write_bytes(encoded(image))
        return preprocess_files(generation(**request), files, MODEL, max_pixels=1_000_000)


def rectangle(size: tuple[int, int] = (128, 128)) -> Image.Image:
    """White; the left half is black."""
    image = Image.new("RGB", size, "white")
    image.paste("black", (0, 0, size[0] // 2, size[1]))
    return image


def test_the_images_of_a_request_are_fetched_two_at_a_time_and_each_once() -> None:
    files = {uri(name): encoded(rectangle()) for name in "abc"}
    sources = FakeSources(files, together=2)
    asked = [CANNY | {"image": uri(name)} for name in "cab"]
    request = generation(
        input_image=uri("a"), mask_image=uri("b"), controlnets=[*asked, CANNY | {"image": uri("d")}]
    )
    files[uri("d")] = encoded(rectangle())
    inputs = preprocess(request, sources).inputs
    assert sorted(sources.fetched) == [uri(name) for name in "abcd"]
    assert inputs.image is not None
    assert inputs.mask is not None
    assert [image.size for image in (inputs.image, inputs.mask, *inputs.control_images)] == [(128, 128)] * 6
    assert all(scope.cancelled for scope in sources.scopes)


def test_the_digests_are_those_of_the_fetched_files() -> None:
    files = {
        uri("a"): encoded(rectangle()),
        uri("b"): encoded(rectangle(), "BMP"),
        uri("c"): encoded(rectangle(), "WEBP"),
    }
    request = generation(
        input_image=uri("a"), mask_image=uri("b"), controlnets=[CANNY | {"image": uri("c")}] * 2
    )
    digests = preprocess(request, FakeSources(files)).input_digests
    assert digests == {
        pointer: hashlib.sha256(files[each]).hexdigest()
        for pointer, each in input_image_uris(request).items()
    }
    assert len(digests) == 4


def test_the_field_of_an_invalid_image_is_named() -> None:
    files = {uri("a"): encoded(rectangle()), uri("b"): b"nonsense"}
    asked = [CANNY | {"image": uri(name)} for name in "ab"]
    with pytest.raises(InputError, match="controlnets/1/image: the image cannot be decoded") as caught:
        preprocess(generation(controlnets=asked), FakeSources(files))
    assert [error.pointer for error in caught.value.errors] == ["#/controlnets/1/image"]


class StalledSources:
    """Blocks until the scope is cancelled, as a slow host would; counts the threads that have ended."""

    def __init__(self) -> None:
        self.fetching = threading.Event()
        self.ended = threading.Semaphore(0)

    def fetch(self, uri: str, pointer: str, target: BinaryIO, scope: FetchScope) -> None:
        interrupted = threading.Event()
        try:
            with scope.interruptible(interrupted.set):
                self.fetching.set()
                assert interrupted.wait(LIMIT_S)
            scope.check()
        finally:
            self.ended.release()


def test_a_cancelled_job_abandons_its_fetches() -> None:
    sources = StalledSources()

    async def cancel(executor: ContextThreadPool) -> None:
        preprocessor = InputPreprocessor(
            sources=cast("ImageSources", sources), environment=ENVIRONMENT, executor=executor
        )
        request = generation(controlnets=[CANNY | {"image": uri(name)} for name in "ab"])
        task = asyncio.create_task(preprocessor.preprocess(request))
        await asyncio.to_thread(sources.fetching.wait, LIMIT_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ContextThreadPool(max_workers=8) as executor:
        asyncio.run(cancel(executor))
    assert sources.ended.acquire(timeout=LIMIT_S)


def test_images_that_exceed_the_limits_of_decoding_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_queue, "SMALL", Limits(seconds=0.0, memory_bytes=1 << 30))
    sources = FakeSources({uri("a"): encoded(rectangle())})
    with pytest.raises(InputError, match="too much time or memory") as caught:
        preprocess(generation(input_image=uri("a")), sources)
    assert caught.value.code is ErrorCode.INPUT_IMAGE_TOO_LARGE


def test_a_job_waits_for_memory_until_the_images_of_another_are_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = generation(input_image=uri("a"), width=64, height=64)
    monkeypatch.setattr(preprocessing, "_IMAGE_BUDGET_BYTES", 3 * 64 * 64)

    async def run(executor: ContextThreadPool) -> None:
        preprocessor = InputPreprocessor(
            sources=cast("ImageSources", FakeSources({})), environment=ENVIRONMENT, executor=executor
        )
        async with asyncio.timeout(LIMIT_S):
            async with preprocessor.reserve_memory(request):
                other = asyncio.create_task(preprocessor.reserve_memory(request).__aenter__())
                await asyncio.sleep(0)
                async with preprocessor.reserve_memory(generation()):  # without images
                    await asyncio.sleep(0)
                    assert not other.done()
            await other

    with ContextThreadPool(max_workers=1) as executor:
        asyncio.run(run(executor))


def test_the_files_of_a_killed_container_are_deleted_and_those_of_a_running_one_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {f"inputs-{pid}-abc": pid == os.getppid() for pid in (ended.pid, os.getpid(), os.getppid())}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "0").touch()
    delete_leftovers()
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_without_input_images_generated_images_are_not_changed() -> None:
    generated = noise((128, 128))
    assert PreprocessedInputs().composite(generated) is generated


def test_without_a_mask_generated_images_are_not_changed() -> None:
    result, generated = preprocessed({"#/input_image": rectangle()}, input_image=URI), noise((128, 128))
    assert result.inputs.mask is None
    assert result.composite(generated) is generated


def test_the_engines_mask_is_expanded_to_whole_latents_and_the_compositors_is_not() -> None:
    mask = Image.new("RGB", (128, 128))
    mask.paste("white", (33, 33, 70, 70))
    result = preprocessed(
        {"#/input_image": rectangle(), "#/mask_image": mask}, input_image=URI, mask_image=URI, mask_blur=0
    )
    assert result.inputs.mask is not None
    assert result.compositor is not None
    assert result.inputs.mask.getbbox() == (32, 32, 72, 72)
    assert (result.compositor.weight > 0).sum() == 37 * 37


def test_a_mask_stays_aligned_when_the_image_is_cropped() -> None:
    image = Image.new("RGB", (200, 100), "black")
    image.paste("white", (80, 30, 120, 70))
    mask = image.resize((400, 200), Image.Resampling.NEAREST)
    request = {"input_image": URI, "mask_image": URI, "width": 128, "height": 128, "mask_blur": 0}
    result = preprocessed({"#/input_image": image, "#/mask_image": mask}, **request)
    assert result.compositor is not None
    composed = np.asarray(result.composite(Image.new("RGB", (128, 128), "red")))
    outside = result.compositor.weight == 0
    assert outside.any()
    assert (composed[outside] < 128).all()


MASKED = {"input_image": URI, "mask_image": URI, "mask_blur": 0, "mask_padding": 16}


def test_only_the_masked_area_is_generated_and_the_rest_is_restored_at_its_own_size() -> None:
    image, mask = noise((1000, 600)), Image.new("L", (1000, 600))
    mask.paste(255, (700, 300, 732, 332))
    result = preprocessed({"#/input_image": image, "#/mask_image": mask}, **MASKED, width=128, height=128)
    assert result.inputs.image is not None
    assert result.inputs.mask is not None
    assert result.inputs.image.size == result.inputs.mask.size == (128, 128)
    assert result.inputs.mask.getbbox() == (32, 32, 96, 96)
    part = image.crop((684, 284, 748, 348)).resize((128, 128), Image.Resampling.LANCZOS)
    assert result.inputs.image.tobytes() == part.tobytes()

    composed = result.composite(Image.new("RGB", (128, 128), "red"))
    assert composed.size == (1000, 600)
    assert composed.crop((700, 300, 732, 332)).getcolors() == [(32 * 32, (255, 0, 0))]
    changed = ImageChops.difference(composed, image).getbbox()
    assert changed == (700, 300, 732, 332)


def test_the_masked_area_has_the_models_default_area_without_a_size() -> None:
    mask = Image.new("L", (800, 400))
    mask.paste(255, (100, 100, 180, 140))
    inputs = preprocessed({"#/input_image": noise((800, 400)), "#/mask_image": mask}, **MASKED).inputs
    assert inputs.image is not None
    width, height = inputs.image.size
    assert 1.4 < width / height < 1.7
    assert 0.8 < width * height / DEFAULT_AREA < 1.25


def test_control_images_show_the_masked_area() -> None:
    mask, control = Image.new("L", (400, 400)), Image.new("RGB", (200, 200))
    mask.paste(255, (116, 116, 184, 184))
    control.paste("white", (50, 50, 100, 100))
    images = {"#/input_image": noise((400, 400)), "#/mask_image": mask, "#/controlnets/0/image": control}
    inputs = preprocessed(images, **MASKED, width=128, height=128, controlnets=[CANNY]).inputs
    assert inputs.control_images[0].getextrema() == ((255, 255),) * 3


def test_an_image_that_is_larger_than_the_model_may_make_is_reduced() -> None:
    image, mask = noise((5000, 50)), Image.new("L", (5000, 50))
    mask.paste(255, (100, 0, 140, 50))
    result = preprocessed({"#/input_image": image, "#/mask_image": mask}, **MASKED)
    assert result.composite(Image.new("RGB", (64, 64))).size == (4096, 41)


def test_a_mask_of_another_aspect_ratio_is_refused() -> None:
    images = {"#/input_image": rectangle(), "#/mask_image": rectangle((128, 64))}
    with pytest.raises(InputError, match="mask_image: ") as caught:
        preprocessed(images, input_image=URI, mask_image=URI)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE


def test_a_transparent_input_image_is_composited_on_white() -> None:
    result = preprocessed({"#/input_image": Image.new("RGBA", (128, 128))}, input_image=URI)
    assert result.inputs.image is not None
    assert result.inputs.image.getextrema() == ((255, 255),) * 3


def test_control_images_are_resized_and_with_preprocess_replaced_by_their_edges() -> None:
    images = {
        "#/controlnets/0/image": rectangle((256, 128)),
        "#/controlnets/1/image": rectangle((256, 128)),
    }
    controls = preprocessed(
        images, width=64, height=128, controlnets=[CANNY | {"preprocess": True}, CANNY]
    ).inputs.control_images
    edges, unprocessed = (np.asarray(control) for control in controls)
    assert edges.shape == unprocessed.shape == (128, 64, 3)
    assert set(np.unique(edges)) == {0, 255}
    assert (edges == edges[..., :1]).all()
    assert 0 < (edges[..., 0].max(axis=0) > 0).sum() <= 3
    assert (unprocessed[:, :28].max(), unprocessed[:, 36:].min()) == (0, 255)


def test_control_images_have_the_size_of_the_canvas_when_outpainting() -> None:
    images = {"#/input_image": rectangle((64, 64)), "#/controlnets/0/image": rectangle((40, 80))}
    outpaint = {"left": 64, "top": 128}
    inputs = preprocessed(images, input_image=URI, outpaint=outpaint, controlnets=[CANNY]).inputs
    assert inputs.image is not None
    assert inputs.image.size == inputs.control_images[0].size == (128, 192)


def test_outpainting_keeps_the_image_except_along_the_added_border() -> None:
    image = noise((96, 96))
    result = preprocessed({"#/input_image": image}, input_image=URI, outpaint={"right": 64})
    composed = result.composite(Image.new("RGB", (160, 96), "red"))
    assert composed.crop((0, 0, 80, 96)).tobytes() == image.crop((0, 0, 80, 96)).tobytes()
    assert composed.crop((84, 0, 160, 96)).getcolors() == [(76 * 96, (255, 0, 0))]
