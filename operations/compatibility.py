"""docs/compatibility.md: spellings and files of other tools, generated from the tables that the code uses."""

from collections.abc import Iterable, Iterator

from contract.adapters import ADAPTER_KINDS
from contract.samplers import SAMPLERS, Sampler
from contract.schedule_types import SCHEDULE_TYPES, ScheduleType
from operations.input_forms import INTRODUCTION, MASKS, file_formats
from operations.prompt_forms import PROMPT_FORMS, PromptForm

_INTRODUCTION = """\
# Compatibility

The spellings, files and forms of other tools that are accepted here, and those that are not, with the reason.
This page is generated from the tables that the code uses: `make docs`.
"""

_PROMPTS = """\
`prompt` and `negative_prompt` have the forms of AUTOMATIC1111's web UI, with the same texts at the same
steps. The first text of `[a:b:10]` lasts one evaluation longer than the number says, as there.
"""
_REFUSED_PROMPTS = """\
Refused at `#/prompt` or `#/negative_prompt`, before anything is queued. An unknown LoRA is refused there by
the container, which looks for the file. Brackets that do not match, or have none of these forms, are read as
emphasis. Pipelines other than Stable Diffusion 1.x, 2.x and XL refuse LoRAs, editing and AND.
"""
_MAX_EXAMPLE = 40

_SAMPLER_COLUMNS = (
    "sampler",
    "AUTOMATIC1111",
    "further names",
    "schedule types",
    "`timestep_spacing`",
    "zero terminal SNR",
)
_SAMPLERS = """\
`sampler` accepts every name of this table in any case; spaces and punctuation are ignored, `++` reads as
`pp`, and `k_` and `sample_` may precede it. A schedule type may follow the name, or be given apart as
`scheduler`: `DPM++ 2M Karras`, `dpmpp_2m_karras`, and `dpmpp_2m` with `karras` are the same.

Samplers without `timestep_spacing` have timesteps of their own and refuse the field. Those without zero
terminal SNR are refused at `#/sampler` for models that were trained so (`rescale_betas_zero_snr`).
"""
_SCHEDULE_TYPES = """\
`automatic` takes AUTOMATIC1111's choice for the sampler. Where `sampler` is left out, `scheduler` may name
the sampler, as in Replicate's API: `K_EULER`. Timesteps are whole numbers where diffusers rounds them,
which differs from k-diffusion by at most one training timestep. Others (`kl_optimal`, `align_your_steps`,
`polyexponential`, `ddim_uniform`) are refused at `#/scheduler`.
"""


_LORAS = """\
Files under `adapters/loras/`, for the UNet and the text encoders. The layers are found by name, with
underscores in place of dots after a prefix that ends with one. Layers have the names of diffusers
(`down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q`), or those of the original code
(`input_blocks.1.1.transformer_blocks.0.attn1.to_q`); `.processor` may precede the projections, and `to_out`
stands for `to_out.0`.
"""
_LORA_NOTES = """\
Layers of rank 0 are skipped. Without `alpha`, as in files of peft, the scale is 1. A DoRA is weighted as in
AUTOMATIC1111 and ComfyUI: the whole change, not its direction alone. Stacked LoRAs change the original
weights, so that their order does not matter. `bundle_emb` entries are textual inversions, which prompts name
by their tokens.
"""
_EMBEDDINGS = """\
Files under `adapters/embeddings/`. A file with one entry is named by its file's name in prompts; the entries
of a file with several are named by their own names.
"""
_ADAPTERS = """\
The files of adapters, by kind, in the models bucket. A kind's first ending is preferred if there are several
files of one name. Files that do not end with `.safetensors` are pickles, of which only tensors and plain
values are read; any other content is refused by name.
"""
_NETWORKS = """\
A VAE or a ControlNet in one file has the names of the original code, alone or below its prefix in a
checkpoint, or those of diffusers. Sizes are read from the tensors; what they do not show, such as the scaling
factor, is that of the model. `loss.*` and averages of the training are ignored.
"""
_NETWORK_NOTES = """\
ControlNets with `shuffle` in their names need `global_pool_conditions`, and are refused. Upscalers have the
architectures of spandrel.
"""


def render() -> str:
    """The whole page."""
    sections = (
        *(_prompts(), _samplers(), _schedule_types()),
        *(_adapters(), _loras(), _embeddings(), _networks(), _inputs()),
    )
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


def _prompts() -> Iterator[str]:
    yield "## Prompts"
    yield ""
    yield _PROMPTS
    accepted = (form for form in PROMPT_FORMS if form.accepted)
    yield from table(("form", "meaning"), map(_prompt_form, accepted))
    yield _REFUSED_PROMPTS
    refused = (form for form in PROMPT_FORMS if not form.accepted)
    yield from table(("refused", "reason"), map(_prompt_form, refused))


def _prompt_form(form: PromptForm) -> tuple[str, str]:
    example = form.example if len(form.example) <= _MAX_EXAMPLE else f"{form.example[:_MAX_EXAMPLE]}…"
    return f"`{example.replace('|', chr(92) + '|')}`", form.meaning


def _samplers() -> Iterator[str]:
    yield "## Samplers"
    yield ""
    yield _SAMPLERS
    yield from table(_SAMPLER_COLUMNS, map(_sampler, SAMPLERS))
    yield "Other samplers are refused at `#/sampler` with a list of these."
    yield ""


def _sampler(sampler: Sampler) -> tuple[str, ...]:
    included = f"{sampler.schedule_type}, included"
    types = _code(sampler.schedule_types) if sampler.schedule_type is None else included
    zero_snr = "yes" if sampler.has_zero_terminal_snr else "no"
    spacing = "yes" if sampler.takes_timestep_spacing else "no"
    return f"`{sampler.name}`", sampler.label, _code(sampler.aliases), types, spacing, zero_snr


def _schedule_types() -> Iterator[str]:
    yield "## Schedule types"
    yield ""
    yield from table(("`scheduler`", "further names", "noise levels"), map(_schedule_type, SCHEDULE_TYPES))
    yield _SCHEDULE_TYPES


def _schedule_type(schedule_type: ScheduleType) -> tuple[str, ...]:
    spellings = schedule_type.label, *schedule_type.aliases
    return f"`{schedule_type.name}`", _code(spellings), schedule_type.description


def _loras() -> Iterator[str]:
    from inference.diffusion.adapters.lora_deltas import FAMILIES
    from inference.diffusion.adapters.lora_layers import PREFIXES
    from inference.diffusion.adapters.lora_parts import SUFFIXES, UNSUPPORTED

    yield "## LoRAs"
    yield ""
    yield _LORAS
    prefixes = ((name, _code(filter(None, values))) for name, values in PREFIXES.items())
    yield from table(("component", "prefixes, or none"), prefixes)
    types = ((family.name, _code(sorted(family.parts))) for family in FAMILIES.values())
    yield from table(("type", "parts"), types)
    yield "`diff_b` may stand beside each of them, and `magnitude`, which makes it a DoRA."
    yield ""
    yield from table(("part", "ends of names"), ((part, _code(ends)) for part, ends in SUFFIXES.items()))
    yield _LORA_NOTES
    by_type: dict[str, list[str]] = {}
    for end, name in UNSUPPORTED.items():
        by_type.setdefault(name, []).append(end)
    yield from table(
        ("not supported, refused by name", "ends of names"), ((n, _code(e)) for n, e in by_type.items())
    )


def _embeddings() -> Iterator[str]:
    from inference.diffusion.prompts.textual_inversion_file import FORMATS

    yield "## Textual inversions"
    yield ""
    yield _EMBEDDINGS
    yield from table(("written by", "entries"), FORMATS.items())


def _adapters() -> Iterator[str]:
    yield "## Files of adapters"
    yield ""
    yield _ADAPTERS
    rows = (
        (kind.name, f"`{kind.prefix}`", _code(f"NAME{suffix}" for suffix in kind.suffixes))
        for kind in ADAPTER_KINDS
    )
    yield from table(("kind", "prefix", "files, or directory in the diffusers layout"), rows)


def _networks() -> Iterator[str]:
    from inference.diffusion.adapters import controlnet_file, vae_file

    yield "## VAEs, ControlNets, upscalers"
    yield ""
    yield _NETWORKS
    rows = (
        (kind, naming, f"`{beginning}`")
        for kind, namings in (("VAE", vae_file.NAMINGS), ("ControlNet", controlnet_file.NAMINGS))
        for naming, beginning in namings.items()
    )
    yield from table(("kind", "naming", "recognized by names that begin with"), rows)
    refused = ((name, f"`{beginning}`") for beginning, name in controlnet_file.UNSUPPORTED.items())
    yield from table(("not supported as a ControlNet, refused by name", "names begin with"), refused)
    yield _NETWORK_NOTES


def _inputs() -> Iterator[str]:
    yield "## Input images and masks"
    yield ""
    yield INTRODUCTION
    yield from table(("format", "media types of data: URLs and uploads"), file_formats())
    yield from table(("mask", "meaning"), MASKS)
