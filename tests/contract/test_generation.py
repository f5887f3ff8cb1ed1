import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.generation import Generation, InvalidRequestError, new_seed
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults, ModelLimits
from contract.request import MAX_COUNT, MAX_SEED, InvocationRequest, JobRequest
from contract.samplers import SAMPLERS

MODEL = ModelDeclaration(
    name="demo",
    defaults=ModelDefaults(width=128, height=64, steps=20, sampler="heun", guidance_scale=5, strength=0.6),
    limits=ModelLimits(min_size=64, max_size=256, max_steps=50, max_count=3),
)
IMAGE = "s3://data/inputs/a.png"


def resolve(request: JobRequest) -> Generation:
    return Generation.resolve(request, MODEL, job_id=new_job_id(), seed=7)


def errors_of(request: JobRequest) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        resolve(request)
    assert all(error.detail in caught.value.detail for error in caught.value.errors)
    return {error.pointer: error.detail for error in caught.value.errors}


def test_the_models_defaults_fill_what_is_left_out() -> None:
    generation = resolve(JobRequest(prompt="x"))
    assert (generation.width, generation.height, generation.steps) == (128, 64, 20)
    assert (generation.sampler, generation.guidance_scale, generation.count) == ("heun", 5, 1)
    assert (generation.seed, generation.strength, generation.model) == (7, None, "demo")


def test_zeros_that_are_asked_for_are_not_replaced_by_defaults() -> None:
    generation = resolve(JobRequest(prompt="x", guidance_scale=0, seed=0))
    assert (generation.guidance_scale, generation.seed) == (0, 0)


def test_image_to_image_follows_the_shape_of_its_input_unless_told_otherwise() -> None:
    generation = resolve(JobRequest(prompt="x", input_image=IMAGE))
    assert (generation.width, generation.height, generation.strength) == (None, None, 0.6)
    assert resolve(JobRequest(prompt="x", input_image=IMAGE, width=72)).width == 72


def test_image_i_has_seed_plus_i() -> None:
    assert resolve(JobRequest(prompt="x", seed=100, count=3)).seeds == (100, 101, 102)


@pytest.mark.parametrize(
    ("request_", "pointer", "words"),
    [
        (JobRequest(prompt="x", width=264), "#/width", "between 64 and 256 pixels, not 264"),
        (JobRequest(prompt="x", height=56), "#/height", "between 64 and 256 pixels, not 56"),
        (JobRequest(prompt="x", steps=51), "#/steps", "at most 50, not 51"),
        (JobRequest(prompt="x", count=4), "#/count", "at most 3, not 4"),
        (JobRequest(prompt="x", seed=MAX_SEED, count=2), "#/seed", f"at most {MAX_SEED}"),
        (JobRequest(prompt="x", strength=0.5), "#/strength", "needs an input_image"),
        (JobRequest(prompt="x", input_image=IMAGE, steps=4, strength=0.2), "#/strength", "leave none to run"),
    ],
)
def test_what_the_model_does_not_offer_is_refused(request_: JobRequest, pointer: str, words: str) -> None:
    errors = errors_of(request_)
    assert list(errors) == [pointer]
    assert words in errors[pointer]


def test_every_limit_that_is_exceeded_is_named_at_once() -> None:
    request = JobRequest(prompt="x", width=1024, height=8, steps=500, count=9)
    assert set(errors_of(request)) == {"#/width", "#/height", "#/steps", "#/count"}


def test_a_new_seed_leaves_room_for_every_count() -> None:
    assert all(0 <= new_seed() <= MAX_SEED + 1 - MAX_COUNT for _ in range(200))


@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip),
    width=st.none() | st.integers(8, 32).map(lambda n: 8 * n),
    steps=st.none() | st.integers(4, 50),
    seed=st.none() | st.integers(0, MAX_SEED - 3),
    sampler=st.none() | st.sampled_from([s.name for s in SAMPLERS]),
    input_image=st.none() | st.just(IMAGE),
)
def test_a_generation_travels_as_an_invocation_and_resolves_to_itself(**fields: object) -> None:
    generation = resolve(JobRequest.model_validate(fields))
    arrived = InvocationRequest.model_validate_json(generation.model_dump_json())
    assert arrived.id == generation.id
    assert Generation.resolve(arrived, MODEL, job_id=generation.id, seed=12345) == generation


def test_a_models_own_defaults_must_be_within_its_limits() -> None:
    with pytest.raises(ValidationError, match="defaults for width, steps are outside"):
        ModelDeclaration(
            name="m",
            defaults=ModelDefaults(width=1024, steps=99),
            limits=ModelLimits(max_size=512, max_steps=50),
        )
