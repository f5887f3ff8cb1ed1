import diffusers
import pytest

from inference.contract.samplers import SAMPLERS, find_sampler


def test_no_spelling_means_two_samplers() -> None:
    spellings = [spelling for s in SAMPLERS for spelling in (s.name, *s.aliases)]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize("name", ["euler", "euler_a", "heun", "lms", "dpm2", "dpm2_a", "ddim"])
def test_the_predecessors_samplers_are_all_there(name: str) -> None:
    assert find_sampler(name).name == name


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: s.name)
def test_each_sampler_is_a_scheduler_of_diffusers(sampler: object) -> None:
    assert issubclass(getattr(diffusers, sampler.scheduler), diffusers.SchedulerMixin)


def test_an_unknown_sampler_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown sampler 'foo'; use one of euler, "):
        find_sampler("foo")
