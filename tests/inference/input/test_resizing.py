import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.resizing import CropResize, generation_size
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
def test_without_a_size_the_aspect_ratio_is_kept_at_the_models_default_area(
    source: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert size(source) == expected


def test_a_given_side_is_used_and_the_other_follows_from_the_aspect_ratio() -> None:
    assert size((400, 200), width=256) == (256, 128)
    assert size((400, 200), height=256) == (512, 256)
    assert size((400, 200), width=256, height=256) == (256, 256)


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ((100, 100), {"width": 64}),
        ((100, 100), {"height": 1024}),
        ((200, 100), {"height": 512}),
        ((100, 200), {"width": 64, "height": 128}),
    ],
)
def test_sides_at_the_limits_are_accepted(source: tuple[int, int], given: dict[str, int]) -> None:
    result = size(source, **given)
    assert {64, 1024} & set(result)


@pytest.mark.parametrize("given", [{"width": 56}, {"height": 1032}, {"width": 56, "height": 64}])
def test_sides_beyond_the_limits_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(InputError, match="limits of 64 to 1024 pixels"):
        size((100, 100), **given)


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
def test_an_aspect_ratio_outside_the_limits_is_refused_unless_both_sides_are_given(
    source: tuple[int, int], given: dict[str, int]
) -> None:
    with pytest.raises(InputError, match="give both width and height") as caught:
        size(source, **given)
    assert caught.value.code is ErrorCode.INVALID_INPUT_IMAGE
    assert [error.pointer for error in caught.value.errors] == ["#/input_image"]
    assert size(source, width=512, height=256) == (512, 256)


@given(sides, sides)
def test_every_size_is_a_multiple_of_8_within_the_limits_with_the_images_aspect_ratio(
    width: int, height: int
) -> None:
    assume(max(width, height) <= 15 * min(width, height))
    result = size((width, height))
    assert all(side % 8 == 0 and 64 <= side <= 1024 for side in result)
    assert result[0] / result[1] == pytest.approx(width / height, rel=0.15)


def test_the_image_is_scaled_and_cropped_about_its_center() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    result = CropResize.between(image.size, (64, 64)).apply(image)
    assert result.size == (64, 64)
    assert result.getpixel((8, 32)) == (0, 0, 255) == result.getpixel((55, 32))


def test_an_image_of_the_size_is_not_changed() -> None:
    image = noise((64, 72))
    assert CropResize.between(image.size, image.size).apply(image).tobytes() == image.tobytes()


@given(st.tuples(sides, sides), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_the_result_has_the_size_whatever_the_image(
    source: tuple[int, int], latents: tuple[int, int]
) -> None:
    crop_resize = CropResize.between(source, (latents[0] * 8, latents[1] * 8))
    assert max(crop_resize.crop) == 1.0
    assume(source[0] * source[1] <= 100_000)
    assert crop_resize.apply(Image.new("RGB", source)).size == crop_resize.size


@given(st.integers(1, 3), st.sampled_from([(64, 64), (128, 64), (64, 96)]))
def test_images_of_one_aspect_ratio_stay_aligned(scale: int, target: tuple[int, int]) -> None:
    source = (90, 60)
    crop_resize = CropResize.between(source, target)
    edges = []
    for size in (source, (source[0] * scale, source[1] * scale)):
        image = Image.new("L", size)
        image.paste(255, (size[0] // 2, size[1] // 3, *size))
        edges.append(
            crop_resize.apply(image, Image.Resampling.BILINEAR).point(lambda v: 255 * (v >= 128)).getbbox()
        )
    assert all(abs(one - other) <= 1 for one, other in zip(*edges, strict=True))
