import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contract.generation import Generation
from contract.problem import ErrorCode
from contract.request import named_images
from inference.engine.errors import InputError
from inference.input.preprocessing import InputPreprocessor, PreprocessedInputs, arrange
from inference.observability.logs import ContextThreads
from tests.inference.fake_engine import ENVIRONMENT
from tests.inference.generations import generation_of
from tests.inference.input.image_files import encoded, noise

MODEL = ENVIRONMENT.model
URI = "s3://data/inputs/a.png"
CANNY = {"type": "canny", "image": URI}


class Sources:
    """Gives each field its picture once all have been asked for."""

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self._pictures = pictures
        self._all = threading.Barrier(len(pictures))

    def fetch(self, uri: str, pointer: str) -> bytes:
        self._all.wait(10)
        return self._pictures[pointer]


def prepare(generation: Generation, pictures: Mapping[str, bytes]) -> PreprocessedInputs:
    sources: Any = Sources(pictures)
    transfers = ContextThreads(max_workers=4)
    preparation = InputPreprocessor(sources=sources, environment=ENVIRONMENT, transfers=transfers)
    return asyncio.run(preparation.prepare(generation))


def generation(**request: Any) -> Generation:
    return generation_of(model=MODEL, **request)


def arranged(pictures: Mapping[str, Image.Image], **request: Any) -> PreprocessedInputs:
    return arrange(generation(**request), pictures, MODEL)


def rectangle(size: tuple[int, int] = (128, 128)) -> Image.Image:
    """White, the left half of it black."""
    image = Image.new("RGB", size, "white")
    image.paste("black", (0, 0, size[0] // 2, size[1]))
    return image


def test_the_pictures_of_a_job_are_fetched_side_by_side() -> None:
    fields = ("#/input_image", "#/mask_image", "#/controlnets/0/image", "#/controlnets/1/image")
    pictures = {field: encoded(rectangle()) for field in fields}
    asked = generation(input_image=URI, mask_image=URI, controlnets=[CANNY, CANNY])
    assert tuple(named_images(asked)) == fields
    inputs = prepare(asked, pictures).inputs
    assert inputs.image is not None
    assert inputs.mask is not None
    assert [image.size for image in (inputs.image, inputs.mask, *inputs.control_images)] == [(128, 128)] * 4


def test_the_field_whose_picture_is_wrong_is_named() -> None:
    pictures = {"#/controlnets/0/image": encoded(rectangle()), "#/controlnets/1/image": b"nonsense"}
    with pytest.raises(InputError, match="controlnets/1/image: is not an image") as caught:
        prepare(generation(controlnets=[CANNY, CANNY]), pictures)
    assert [error.pointer for error in caught.value.errors] == ["#/controlnets/1/image"]


def test_a_prompt_alone_names_no_pictures() -> None:
    assert named_images(generation()) == {}
    drawn = noise((128, 128))
    assert PreprocessedInputs().finish(drawn) is drawn


def test_without_a_mask_what_is_drawn_stays_as_drawn() -> None:
    prepared, drawn = arranged({"#/input_image": rectangle()}, input_image=URI), noise((128, 128))
    assert prepared.inputs.mask is None
    assert prepared.finish(drawn) is drawn


def test_the_engines_mask_covers_what_the_result_takes_from_it() -> None:
    mask = Image.new("RGB", (128, 128))
    mask.paste("white", (33, 33, 70, 70))
    prepared = arranged(
        {"#/input_image": rectangle(), "#/mask_image": mask}, input_image=URI, mask_image=URI, mask_blur=0
    )
    assert prepared.inputs.mask is not None
    assert prepared.kept is not None
    assert prepared.inputs.mask.getbbox() == (32, 32, 72, 72)
    assert (prepared.kept.share > 0).sum() == 37 * 37


def test_a_mask_stays_on_what_it_covers_when_the_picture_is_cropped() -> None:
    picture = Image.new("RGB", (200, 100), "black")
    picture.paste("white", (80, 30, 120, 70))
    mask = picture.resize((400, 200), Image.Resampling.NEAREST)
    request = {"input_image": URI, "mask_image": URI, "width": 128, "height": 128, "mask_blur": 0}
    prepared = arranged({"#/input_image": picture, "#/mask_image": mask}, **request)
    assert prepared.kept is not None
    shown = np.asarray(prepared.finish(Image.new("RGB", (128, 128), "red")))
    outside = prepared.kept.share == 0
    assert outside.any()
    assert (shown[outside] < 128).all()


def test_a_mask_of_another_shape_is_refused() -> None:
    pictures = {"#/input_image": rectangle(), "#/mask_image": rectangle((128, 64))}
    with pytest.raises(InputError, match="mask_image: ") as caught:
        arranged(pictures, input_image=URI, mask_image=URI)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE


def test_transparency_in_a_picture_is_white() -> None:
    prepared = arranged({"#/input_image": Image.new("RGBA", (128, 128))}, input_image=URI)
    assert prepared.inputs.image is not None
    assert prepared.inputs.image.getextrema() == ((255, 255),) * 3


def test_edges_are_found_where_that_is_asked_for_and_maps_are_fitted_as_they_are() -> None:
    pictures = {
        "#/controlnets/0/image": rectangle((256, 128)),
        "#/controlnets/1/image": rectangle((256, 128)),
    }
    controls = arranged(
        pictures, width=64, height=128, controlnets=[CANNY | {"preprocess": True}, CANNY]
    ).inputs.control_images
    edges, as_it_is = (np.asarray(control) for control in controls)
    assert edges.shape == as_it_is.shape == (128, 64, 3)
    assert set(np.unique(edges)) == {0, 255}
    assert (edges == edges[..., :1]).all()
    assert 0 < (edges[..., 0].max(axis=0) > 0).sum() <= 3
    assert (as_it_is[:, :28].max(), as_it_is[:, 36:].min()) == (0, 255)


def test_maps_are_of_the_canvas_when_outpainting() -> None:
    pictures = {"#/input_image": rectangle((64, 64)), "#/controlnets/0/image": rectangle((40, 80))}
    outpaint = {"left": 64, "top": 128}
    inputs = arranged(pictures, input_image=URI, outpaint=outpaint, controlnets=[CANNY]).inputs
    assert inputs.image is not None
    assert inputs.image.size == inputs.control_images[0].size == (128, 192)


def test_outpainting_keeps_the_picture_but_for_the_seam() -> None:
    picture = noise((96, 96))
    prepared = arranged({"#/input_image": picture}, input_image=URI, outpaint={"right": 64})
    finished = prepared.finish(Image.new("RGB", (160, 96), "red"))
    assert finished.crop((0, 0, 80, 96)).tobytes() == picture.crop((0, 0, 80, 96)).tobytes()
    assert finished.crop((84, 0, 160, 96)).getcolors() == [(76 * 96, (255, 0, 0))]
