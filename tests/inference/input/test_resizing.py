import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.resizing import Framing, generation_size
from tests.inference.input.image_files import noise

MODEL = ModelDeclaration(
    name="demo", defaults=ModelDefaults(width=512, height=512), limits=ModelLimits(min_size=64, max_size=1024)
)
sides = st.integers(1, 20_000)


def size(source: tuple[int, int], width: int | None = None, height: int | None = None) -> tuple[int, int]:
    return generation_size(source, width=width, height=height, model=MODEL)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((512, 512), (512, 512)),
        ((4000, 3000), (592, 440)),
        ((1, 1), (512, 512)),
        ((20_000, 20_000), (512, 512)),
        ((2000, 250), (1024, 128)),
        ((100, 1600), (64, 1024)),
    ],
)
def test_without_a_size_the_picture_keeps_its_shape_and_takes_the_models_area(
    source: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert size(source) == expected


def test_a_given_side_is_kept_and_the_other_follows() -> None:
    assert size((400, 200), width=256) == (256, 128)
    assert size((400, 200), height=256) == (512, 256)
    assert size((400, 200), width=256, height=256) == (256, 256)


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ((1, 1000), {}),
        ((20_000, 1), {}),
        ((1900, 100), {}),
        ((300, 100), {"height": 512}),
        ((100, 1000), {"height": 512}),
    ],
)
def test_a_shape_that_the_model_cannot_draw_is_refused_until_both_sides_are_given(
    source: tuple[int, int], given: dict[str, int]
) -> None:
    with pytest.raises(InputError, match="give both width and height") as caught:
        size(source, **given)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE
    assert [error.pointer for error in caught.value.errors] == ["#/input_image"]
    assert size(source, width=512, height=256) == (512, 256)


@given(sides, sides)
def test_every_size_is_on_the_grid_within_bounds_and_of_the_pictures_shape(width: int, height: int) -> None:
    assume(max(width, height) <= 15 * min(width, height))
    drawn = size((width, height))
    assert all(side % 8 == 0 and 64 <= side <= 1024 for side in drawn)
    assert drawn[0] / drawn[1] == pytest.approx(width / height, rel=0.15)


def test_framing_scales_and_crops_about_the_centre() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    framed = Framing.of(image.size, (64, 64)).apply(image)
    assert framed.size == (64, 64)
    assert framed.getpixel((8, 32)) == (0, 0, 255) == framed.getpixel((55, 32))


def test_a_picture_of_the_size_is_left_as_it_is() -> None:
    image = noise((64, 72))
    assert Framing.of(image.size, image.size).apply(image).tobytes() == image.tobytes()


@given(st.tuples(sides, sides), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_whatever_the_picture_the_framed_one_has_the_size(
    source: tuple[int, int], drawn: tuple[int, int]
) -> None:
    framing = Framing.of(source, (drawn[0] * 8, drawn[1] * 8))
    assert max(framing.kept) == 1.0
    assume(source[0] * source[1] <= 100_000)
    assert framing.apply(Image.new("RGB", source)).size == framing.size


@given(st.integers(1, 3), st.sampled_from([(64, 64), (128, 64), (64, 96)]))
def test_pictures_of_one_shape_stay_registered(scale: int, drawn: tuple[int, int]) -> None:
    source = (90, 60)
    framing = Framing.of(source, drawn)
    edges = []
    for size in (source, (source[0] * scale, source[1] * scale)):
        image = Image.new("L", size)
        image.paste(255, (size[0] // 2, size[1] // 3, *size))
        edges.append(
            framing.apply(image, Image.Resampling.BILINEAR).point(lambda v: 255 * (v >= 128)).getbbox()
        )
    assert all(abs(one - other) <= 1 for one, other in zip(*edges, strict=True))
