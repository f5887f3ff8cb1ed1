"""docs/compatibility.md: spellings and files of other tools, generated from the tables that the code uses."""

from collections.abc import Iterable, Iterator

from contract.samplers import SAMPLERS, Sampler
from contract.schedule_types import SCHEDULE_TYPES, ScheduleType

_INTRODUCTION = """\
# Compatibility

The spellings, files and forms of other tools that are accepted here, and those that are not, with the reason.
This page is generated from the tables that the code uses: `make docs`.
"""

_SAMPLERS = """\
`sampler` accepts every name of this table in any case; spaces and punctuation are ignored, `++` reads as
`pp`, and `k_` and `sample_` may precede it. A schedule type may follow the name, or be given apart as
`scheduler`: `DPM++ 2M Karras`, `dpmpp_2m_karras`, and `dpmpp_2m` with `karras` are the same.
"""
_SCHEDULE_TYPES = """\
`automatic` takes AUTOMATIC1111's choice for the sampler. Where `sampler` is left out, `scheduler` may name
the sampler, as in Replicate's API: `K_EULER`. Timesteps are whole numbers where diffusers rounds them,
which differs from k-diffusion by at most one training timestep. Others (`kl_optimal`, `align_your_steps`,
`polyexponential`, `ddim_uniform`) are refused at `#/scheduler`.
"""


def render() -> str:
    """The whole page."""
    sections = (_samplers(), _schedule_types())
    return "\n".join([_INTRODUCTION, *("\n".join(section) for section in sections)]).rstrip() + "\n"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a Markdown table, and an empty line."""
    columns = list(header)
    yield _row(columns)
    yield _row(["---"] * len(columns))
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _samplers() -> Iterator[str]:
    yield "## Samplers"
    yield ""
    yield _SAMPLERS
    yield from table(("sampler", "AUTOMATIC1111", "further names", "schedule types"), map(_sampler, SAMPLERS))
    yield "Other samplers are refused at `#/sampler` with a list of these."
    yield ""


def _sampler(sampler: Sampler) -> tuple[str, ...]:
    included = f"{sampler.schedule_type}, included"
    types = _code(sampler.schedule_types) if sampler.schedule_type is None else included
    return f"`{sampler.name}`", sampler.label, _code(sampler.aliases), types


def _schedule_types() -> Iterator[str]:
    yield "## Schedule types"
    yield ""
    yield from table(("`scheduler`", "further names", "noise levels"), map(_schedule_type, SCHEDULE_TYPES))
    yield _SCHEDULE_TYPES


def _schedule_type(schedule_type: ScheduleType) -> tuple[str, ...]:
    spellings = schedule_type.label, *schedule_type.aliases
    return f"`{schedule_type.name}`", _code(spellings), schedule_type.description
