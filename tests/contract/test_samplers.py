import diffusers
import pytest

from contract.samplers import SAMPLERS, Sampler, find_sampler
from inference.diffusion.modules import stochastic_schedulers


def test_a_sampler_is_found_by_its_name_its_label_and_its_aliases() -> None:
    for sampler in SAMPLERS:
        for name in (sampler.name, sampler.label, *sampler.aliases):
            assert find_sampler(name) is sampler


@pytest.mark.parametrize(
    ("written", "name"),
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
def test_case_spaces_and_punctuation_of_a_samplers_name_are_ignored(written: str, name: str) -> None:
    assert find_sampler(written).name == name


@pytest.mark.parametrize("name", ["euler", "euler_a", "heun", "lms", "dpm2", "dpm2_a", "ddim"])
def test_common_samplers_exist(name: str) -> None:
    assert find_sampler(name).name == name


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.name)
def test_the_scheduler_of_each_sampler_exists_in_diffusers_or_here(sampler: Sampler) -> None:
    module = diffusers if hasattr(diffusers, sampler.scheduler) else stochastic_schedulers
    assert issubclass(getattr(module, sampler.scheduler), diffusers.SchedulerMixin)


@pytest.mark.parametrize(
    ("name", "evaluations", "of_one_step", "without_the_first_three"),
    [
        ("euler", 10, 1, 7),
        ("heun", 19, 1, 13),
        ("dpm2", 19, 1, 13),
        ("dpm2_a", 19, 1, 13),
        ("plms", 11, 1, 8),
        ("dpmpp_sde", 19, 1, 13),
        ("dpmpp_2s_a", 19, 1, 13),
        ("dpmpp_3m_sde", 10, 1, 7),
    ],
)
def test_the_number_of_unet_evaluations(
    name: str, evaluations: int, of_one_step: int, without_the_first_three: int
) -> None:
    sampler = find_sampler(name)
    assert sampler.evaluations(10) == evaluations
    assert sampler.evaluations(1) == of_one_step
    assert sampler.evaluations(10, skipped=3) == without_the_first_three


def test_the_error_for_an_unknown_sampler_lists_the_samplers() -> None:
    with pytest.raises(ValueError, match="unknown sampler 'foo'; use one of euler, "):
        find_sampler("foo")
