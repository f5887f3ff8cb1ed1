import re
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.generation import Generation, new_seed
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.options import MetadataMode, OutputFormat
from contract.request import MAX_COUNT, MAX_SEED, InvocationRequest, JobRequest
from contract.samplers import SAMPLERS
from tests.contract.parsing import IMAGE, MODEL, resolve, violations_of


def test_omitted_fields_take_the_models_defaults() -> None:
    generation = resolve()
    assert (generation.width, generation.height, generation.steps) == (128, 64, 20)
    assert (generation.sampler, generation.guidance_scale, generation.count) == ("heun", 5, 1)
    assert (generation.seed, generation.strength, generation.model) == (7, None, "demo")
    assert (generation.mask_blur, generation.output_format, generation.clip_skip) == (
        None,
        OutputFormat.PNG,
        2,
    )


def test_zeros_are_not_replaced_by_defaults() -> None:
    generation = resolve(guidance_scale=0, seed=0)
    assert (generation.guidance_scale, generation.seed) == (0, 0)


def test_image_to_image_takes_its_size_from_the_input_image_unless_the_request_has_one() -> None:
    generation = resolve(input_image=IMAGE)
    assert (generation.width, generation.height, generation.strength) == (None, None, 0.6)
    assert resolve(input_image=IMAGE, width=72).width == 72


def test_defaults_of_inpainting_outpainting_and_hires() -> None:
    assert resolve(input_image=IMAGE, mask_image=IMAGE).mask_blur == 4
    assert resolve(input_image=IMAGE, mask_image=IMAGE, mask_blur=0).mask_blur == 0
    outpainting = resolve(input_image=IMAGE, outpaint={"left": 8})
    assert (outpainting.strength, outpainting.mask_blur) == (1, 4)
    hires = resolve(hires={}, steps=9).hires
    assert hires is not None
    assert (hires.steps, hires.scale, hires.strength, hires.upscaler) == (9, 2, 0.5, "lanczos")


@pytest.mark.parametrize("default", list(MetadataMode))
def test_the_requests_metadata_mode_takes_precedence_over_the_models(default: MetadataMode) -> None:
    model = MODEL.model_copy(update={"defaults": ModelDefaults(metadata=default)})

    def resolved(**body: Any) -> MetadataMode:
        request = JobRequest.model_validate({"prompt": "x", **body})
        return Generation.resolve(request, model, job_id=resolve().id, seed=0).metadata

    assert resolved() == resolved(metadata=None) == default
    assert [resolved(metadata=mode.value) for mode in MetadataMode] == list(MetadataMode)


def test_a_default_guidance_interval_is_for_prompts_without_and() -> None:
    model = MODEL.model_copy(update={"defaults": ModelDefaults(guidance_interval=(0.2, 0.8))})

    def resolved(**body: Any) -> tuple[float, float]:
        request = JobRequest.model_validate({"prompt": "x", **body})
        return Generation.resolve(request, model, job_id=resolve().id, seed=0).guidance_interval

    assert resolved() == (0.2, 0.8)
    assert resolved(guidance_interval=[0, 1]) == (0, 1)
    assert resolved(guidance_interval=[0.5, 1]) == (0.5, 1)
    assert resolved(prompt="a AND b") == resolved(prompt="a AND b", guidance_interval=[0, 1]) == (0, 1)


def test_image_i_has_seed_plus_i() -> None:
    assert resolve(seed=100, count=3).seeds == (100, 101, 102)


def test_a_new_seed_is_uniform_over_the_seeds_that_allow_every_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds: list[int] = []

    def highest(bound: int) -> int:
        bounds.append(bound)
        return bound - 1

    monkeypatch.setattr(secrets, "randbelow", highest)
    highest_seed = new_seed()
    assert bounds == [MAX_SEED - MAX_COUNT + 2]
    assert highest_seed + MAX_COUNT - 1 == MAX_SEED
    monkeypatch.setattr(secrets, "randbelow", lambda _bound: 0)
    assert new_seed() == 0


@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip),
    width=st.none() | st.integers(8, 32).map(lambda n: 8 * n),
    steps=st.none() | st.integers(4, 50),
    seed=st.none() | st.integers(0, MAX_SEED - 3),
    sampler=st.none() | st.sampled_from([s.name for s in SAMPLERS]),
    input_image=st.none() | st.just(IMAGE),
    metadata=st.none() | st.sampled_from([mode.value for mode in MetadataMode]),
)
def test_the_json_of_a_generation_resolves_to_an_equal_generation(**fields: Any) -> None:
    generation = resolve(**fields)
    assert resolved_again(generation) == generation


@pytest.mark.parametrize(
    "body",
    [
        {
            "input_image": IMAGE,
            "mask_image": "https://example.com/mask.png?a=b",
            "mask_invert": True,
            "mask_alpha": True,
            "mask_blur": 0,
            "controlnets": [
                {"type": "canny", "image": "data:image/png;base64,AAAA", "weight": 1, "preprocess": True}
            ],
            "loras": [{"name": "moon", "weight": 0.5}, {"name": "style-2"}],
            "embeddings": ["bad_hands.v2"],
            "vae": "ft-mse",
            "clip_skip": 1,
            "refiner_start": 0.8,
            "upscale": {"scale": 2, "upscaler": "4x_model"},
            "output_format": "webp",
            "quality": 80,
            "metadata": "none",
        },
        {"hires": {}},
        {"input_image": IMAGE, "outpaint": {"top": 8}},
        {"input_image": IMAGE, "mask_image": IMAGE, "mask_padding": 32},
    ],
    ids=["inpainting with adapters", "hires", "outpainting", "only the masked area"],
)
def test_every_field_survives_the_json_of_a_generation(body: dict[str, Any]) -> None:
    generation = resolve(**body)
    assert resolved_again(generation) == generation
    assert generation.model_dump(exclude_unset=True).keys() >= body.keys()


def resolved_again(generation: Generation) -> Generation:
    request = InvocationRequest.model_validate_json(generation.model_dump_json())
    assert request.id == generation.id
    return Generation.resolve(request, MODEL, job_id=generation.id, seed=12345)


def test_the_error_of_an_invalid_request_names_every_violation() -> None:
    violations = violations_of(width=1024, height=8, steps=500, count=9)
    assert set(violations) == {"#/width", "#/height", "#/steps", "#/count"}


@pytest.mark.parametrize(
    ("defaults", "names"),
    [
        (ModelDefaults(width=520), "width"),
        (ModelDefaults(height=56), "height"),
        (ModelDefaults(width=520, steps=51), "width, steps"),
        (ModelDefaults(count=4), "count"),
    ],
)
def test_a_models_defaults_must_be_within_its_limits(defaults: ModelDefaults, names: str) -> None:
    limits = ModelLimits(min_size=64, max_size=512, max_steps=50, max_count=3)
    with pytest.raises(ValidationError) as raised:
        ModelDeclaration(name="m", defaults=defaults, limits=limits)
    assert re.findall(r"defaults\.(\w+) is \d+, but limits allow", str(raised.value)) == names.split(", ")


def test_a_models_limits_must_leave_a_size() -> None:
    with pytest.raises(ValidationError, match="min_size 1024, max_size 512 and max_output_size 4096 must"):
        ModelLimits(min_size=1024, max_size=512)


def test_a_models_defaults_may_equal_its_limits() -> None:
    defaults = ModelDefaults(width=64, height=512, steps=50, count=3)
    limits = ModelLimits(min_size=64, max_size=512, max_steps=50, max_count=3)
    assert ModelDeclaration(name="m", defaults=defaults, limits=limits).defaults == defaults
