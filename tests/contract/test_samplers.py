import diffusers
import pytest

from contract.samplers import SAMPLERS, find_sampler


def test_there_are_many_and_every_spelling_finds_its_own() -> None:
    assert len(SAMPLERS) >= 20
    for sampler in SAMPLERS:
        for spelling in (sampler.name, sampler.label, *sampler.aliases):
            assert find_sampler(spelling) is sampler


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("DPM++ 2M Karras", "dpmpp_2m_karras"),
        ("dpmpp-2m-karras", "dpmpp_2m_karras"),
        ("Euler a", "euler_a"),
        ("sample_euler_ancestral", "euler_a"),
        ("EulerAncestralDiscreteScheduler", "euler_a"),
        ("UniPC", "unipc"),
        ("LCM", "lcm"),
        ("PLMS", "plms"),
    ],
)
def test_samplers_go_by_the_names_that_people_use(spelling: str, name: str) -> None:
    assert find_sampler(spelling).name == name


@pytest.mark.parametrize("name", ["euler", "euler_a", "heun", "lms", "dpm2", "dpm2_a", "ddim"])
def test_the_predecessors_samplers_are_all_there(name: str) -> None:
    assert find_sampler(name).name == name


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: s.name)
def test_each_sampler_is_a_scheduler_of_diffusers(sampler: object) -> None:
    assert issubclass(getattr(diffusers, sampler.scheduler), diffusers.SchedulerMixin)


def test_an_unknown_sampler_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown sampler 'foo'; use one of euler, "):
        find_sampler("foo")
