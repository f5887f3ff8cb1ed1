"""Schedule types: within a sampler's name, or apart as `scheduler`."""

from collections import defaultdict

import pytest

from contract.samplers import ALL_SAMPLERS, SAMPLERS, Sampler, find_sampler
from contract.schedule_types import SCHEDULE_TYPES, ScheduleType, normalize
from tests.contract.parsing import parse_errors, resolve, violations_of

REPLICATE = {
    "DDIM": "ddim",
    "DPMSolverMultistep": "dpmpp_2m",
    "HeunDiscrete": "heun",
    "KarrasDPM": "dpmpp_2m_karras",
    "K_EULER": "euler",
    "K_EULER_ANCESTRAL": "euler_a",
    "PNDM": "plms",
}
COMFY_UI = {
    "euler": "euler",
    "euler_ancestral": "euler_a",
    "heun": "heun",
    "dpm_2": "dpm2",
    "dpm_2_ancestral": "dpm2_a",
    "lms": "lms",
    "dpmpp_2m": "dpmpp_2m",
    "dpmpp_sde": "dpmpp_sde",
    "dpmpp_sde_gpu": "dpmpp_sde",
    "dpmpp_2s_ancestral": "dpmpp_2s_a",
    "dpmpp_3m_sde": "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu": "dpmpp_3m_sde",
    "dpmpp_2m_sde": "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu": "dpmpp_2m_sde",
    "ddpm": "ddpm",
    "lcm": "lcm",
    "deis": "deis",
    "uni_pc": "unipc",
    "ddim": "ddim",
}
AUTOMATIC1111 = {
    "Euler a": "euler_a",
    "k_euler_a": "euler_a",
    "LMS Karras": "lms_karras",
    "k_dpm_2_a": "dpm2_a",
    "DPM2 a Karras": "dpm2_a_karras",
    "DPM++ 2M Karras": "dpmpp_2m_karras",
    "DPM++ SDE Karras": "dpmpp_sde_karras",
    "DPM++ 2S a Karras": "dpmpp_2s_a_karras",
    "k_dpmpp_2s_a_ka": "dpmpp_2s_a_karras",
    "DPM++ 3M SDE Exponential": "dpmpp_3m_sde_exponential",
    "k_dpmpp_2m_ka": "dpmpp_2m_karras",
    "DPM++ 2M SDE Exponential": "dpmpp_2m_sde_exponential",
    "DPM++ 2M SGM Uniform": "dpmpp_2m_sgm_uniform",
    "Euler Beta": "euler_beta",
    "Heun Exponential": "heun_exponential",
    "PLMS": "plms",
    "UniPC": "unipc",
}


@pytest.mark.parametrize(("written", "name"), (REPLICATE | COMFY_UI | AUTOMATIC1111).items())
def test_samplers_are_found_as_other_tools_spell_them(written: str, name: str) -> None:
    assert find_sampler(written).name == name


def test_no_spelling_names_two_samplers() -> None:
    owners = defaultdict(set)
    for sampler in SAMPLERS:
        for spelling in sampler.spellings:
            owners[normalize(spelling)].add(sampler.name)
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("sampler", ALL_SAMPLERS, ids=lambda each: each.name)
def test_every_name_finds_the_sampler_itself_and_its_parts_find_it_too(sampler: Sampler) -> None:
    assert find_sampler(sampler.name) is find_sampler(sampler.label) is sampler
    if sampler.schedule_type is not None:
        apart = resolve(sampler=sampler.base, scheduler=sampler.schedule_type)
        assert apart.sampler == sampler.name


@pytest.mark.parametrize("schedule_type", SCHEDULE_TYPES, ids=lambda each: each.name)
def test_a_scheduler_is_found_by_each_of_its_names(schedule_type: ScheduleType) -> None:
    for spelling in schedule_type.spellings:
        generation = resolve(sampler="dpmpp_2m", scheduler=spelling.upper())
        assert generation.sampler == f"dpmpp_2m_{schedule_type.name}"


@pytest.mark.parametrize(
    ("body", "sampler"),
    [
        ({"scheduler": "K_EULER"}, "euler"),
        ({"scheduler": "normal"}, "heun_normal"),
        ({"sampler": "DPM++ 2M Karras", "scheduler": "Karras"}, "dpmpp_2m_karras"),
        ({"sampler": "DPM++ 2M", "scheduler": "Automatic"}, "dpmpp_2m_karras"),
        ({"sampler": "DPM++ 2M SDE", "scheduler": "automatic"}, "dpmpp_2m_sde_exponential"),
        ({"sampler": "euler", "scheduler": "automatic"}, "euler"),
        ({"sampler": "euler", "scheduler": "simple"}, "euler_sgm_uniform"),
        ({"sampler": "euler", "scheduler": None}, "euler"),
    ],
)
def test_sampler_and_scheduler_are_combined(body: dict[str, str], sampler: str) -> None:
    assert resolve(**body).sampler == sampler


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"sampler": "ddim", "scheduler": "karras"}, "ddim has no karras schedule; use one of sgm_uniform"),
        ({"sampler": "heun_karras", "scheduler": "beta"}, "cannot be beta with the sampler heun_karras"),
        ({"sampler": "heun", "scheduler": "K_EULER"}, "names a sampler, euler, beside `sampler`"),
    ],
)
def test_a_scheduler_that_does_not_fit_is_refused_by_name(body: dict[str, str], detail: str) -> None:
    errors = violations_of(**body)
    assert list(errors) == ["#/scheduler"]
    assert detail in errors["#/scheduler"]


def test_an_unknown_scheduler_is_refused_with_the_known_ones() -> None:
    errors = parse_errors({"prompt": "x", "scheduler": "kl_optimal"})
    assert "unknown scheduler 'kl_optimal'; use one of karras, exponential, " in errors["#/scheduler"]
