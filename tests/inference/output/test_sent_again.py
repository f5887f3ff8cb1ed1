"""A generation's record, and the parameters text of its file, sent again give the same generation."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contract.generation import Generation, InvalidRequestError
from contract.identifiers import new_job_id
from contract.model import ModelLimits
from contract.options import MetadataMode, OutputFormat
from contract.request import InvocationRequest, JobRequest
from contract.samplers import SAMPLERS
from inference.output.infotext import infotext
from tests.inference.generations import MODEL
from tests.inference.output.metadata_reader import parse_parameters

WIDE = MODEL.model_copy(update={"limits": ModelLimits(max_count=8, max_steps=1000)})
JOB_ID = new_job_id()
SIZE = (64, 64)

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,9}[A-Za-z0-9])?", fullmatch=True)
SIDES = st.integers(32, 128).map(lambda n: 8 * n)
TAGS = st.builds("<lora:{}:{!r}>".format, NAMES, st.floats(-4, 4))
WORDS = st.sampled_from(
    [
        "a cat",
        " ",
        "(red:1.3)",
        "[blue]",
        "[a:b:0.5]",
        "[c::3]",
        "[d|e]",
        " AND ",
        ":0.7",
        "BREAK",
        "\\(x\\)",
        "(",
    ]
)
PROMPTS = st.lists(WORDS | TAGS | st.text(max_size=5), min_size=1, max_size=8).map("".join).filter(str.strip)
IMAGES = st.sampled_from(["s3://data/a.png", "https://example.com/b.png"])
FRACTIONS = st.floats(0.01, 0.99)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.just("demo"),
    "prompt": PROMPTS,
    "negative_prompt": st.text(max_size=20) | st.sampled_from(["[a:b:0.5]", "a AND b", "(x:1.5)"]),
    "width": SIDES,
    "height": SIDES,
    "steps": st.integers(1, 1000),
    "guidance_scale": st.floats(0, 50),
    "guidance_rescale": st.floats(0, 1),
    "guidance_interval": st.tuples(st.floats(0, 0.5), st.floats(0.6, 1)),
    "sampler": st.sampled_from(
        [name for each in SAMPLERS for name in (each.name, each.label, *each.aliases)]
    ),
    "scheduler": st.sampled_from(["automatic", "karras", "beta"]),
    "timestep_spacing": st.sampled_from(["trailing", "leading", "linspace"]),
    "seed": st.integers(0, 2**32 - 9),
    "count": st.integers(1, 8),
    "clip_skip": st.integers(1, 12),
    "input_image": IMAGES,
    "strength": FRACTIONS,
    "mask_image": IMAGES,
    "mask_invert": st.booleans(),
    "mask_alpha": st.booleans(),
    "mask_blur": st.integers(0, 64),
    "mask_padding": st.integers(0, 64),
    "outpaint": st.fixed_dictionaries({"left": st.just(8), "top": st.sampled_from([0, 16])}),
    "controlnets": st.lists(
        st.fixed_dictionaries({"type": NAMES, "image": IMAGES, "weight": st.floats(0, 2), "end": FRACTIONS}),
        max_size=2,
    ),
    "loras": st.lists(
        st.fixed_dictionaries({"name": NAMES, "weight": st.floats(-4, 4)}),
        max_size=3,
        unique_by=lambda x: x["name"],
    ),
    "embeddings": st.lists(NAMES, max_size=2, unique=True),
    "vae": NAMES,
    "refiner_start": FRACTIONS,
    "hires": st.fixed_dictionaries(
        {"scale": st.floats(1.1, 2), "strength": FRACTIONS, "steps": st.integers(1, 50)}
    ),
    "upscale": st.fixed_dictionaries({"scale": st.floats(1.1, 2), "upscaler": NAMES}),
    "output_format": st.sampled_from([each.value for each in OutputFormat]),
    "quality": st.integers(1, 100),
    "metadata": st.sampled_from([each.value for each in MetadataMode]),
    "preview": st.booleans(),
    "output_s3_uri": st.just("s3://bucket/prefix/"),
}
TASKS: dict[str, tuple[set[str], set[str]]] = {
    "text to image": (
        set(),
        {"input_image", "strength", "mask_image", "mask_invert", "mask_alpha", "mask_blur", "mask_padding"},
    ),
    "image to image": (
        {"input_image"},
        {"mask_image", "mask_invert", "mask_alpha", "mask_blur", "mask_padding", "hires"},
    ),
    "inpainting": ({"input_image", "mask_image"}, {"hires", "upscale"}),
    "outpainting": (
        {"input_image", "outpaint"},
        {"hires", "mask_image", "mask_invert", "mask_alpha", "mask_padding", "width", "height"},
    ),
}
"""The fields that a task requires, and those that it excludes."""


def resolve(body: dict[str, Any]) -> Generation:
    return Generation.resolve(JobRequest.model_validate(body), WIDE, job_id=JOB_ID, seed=5)


@st.composite
def bodies(draw: st.DrawFn, task: str) -> dict[str, Any]:
    required, excluded = TASKS[task]
    others = sorted(FIELDS.keys() - excluded - required - {"prompt"} - {"outpaint"})
    chosen = draw(st.lists(st.sampled_from(others), max_size=8, unique=True))
    return {name: draw(FIELDS[name]) for name in ["prompt", *sorted(required), *chosen]}


def test_every_field_is_tried() -> None:
    assert FIELDS.keys() == JobRequest.model_fields.keys()


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_a_record_sent_again_is_the_same_generation(task: str, data: st.DataObject) -> None:
    body = data.draw(bodies(task))
    try:
        generation = resolve(body)
    except (InvalidRequestError, ValueError):
        assume(False)
    record = InvocationRequest.model_validate_json(generation.model_dump_json())
    again = Generation.resolve(record, WIDE, job_id=JOB_ID, seed=6)
    assert again == generation
    assert again.active_loras == generation.active_loras
    assert again.prompt_stages == generation.prompt_stages


def parameters_of(generation: Generation) -> str:
    return infotext(generation, size=SIZE, revision=None, versions={}, input_digests={})


def request_of(text: str) -> dict[str, Any]:
    """The request for a parameters text, as a user of the web UI reads it."""
    prompt, _, rest = text.rpartition("\nSteps: ")
    prompt, _, negative = prompt.partition("\nNegative prompt: ")
    given = parse_parameters(f"\nSteps: {rest}")
    width, height = given["Size"].split("x")
    body: dict[str, Any] = {
        "prompt": prompt,
        "negative_prompt": negative,
        "steps": int(given["Steps"]),
        "sampler": given["Sampler"],
        "guidance_scale": float(given["CFG scale"]),
        "seed": int(given["Seed"]),
        "width": int(width),
        "height": int(height),
        "model": given["Model"],
        "clip_skip": int(given.get("Clip skip", 1)),
        "vae": given.get("VAE"),
    }
    if "CFG interval start" in given:
        body["guidance_interval"] = [float(given[f"CFG interval {side}"]) for side in ("start", "end")]
    if "Refiner switch at" in given:
        body["refiner_start"] = float(given["Refiner switch at"])
    if "Hires upscale" in given:
        body["hires"] = {
            "scale": float(given["Hires upscale"]),
            "steps": int(given["Hires steps"]),
            "strength": float(given["Denoising strength"]),
        }
    if "Postprocess upscaler" in given:
        body["upscale"] = {
            "scale": float(given["Postprocess upscale by"]),
            "upscaler": given["Postprocess upscaler"],
        }
    return body


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.fixed_dictionaries(
        {"prompt": PROMPTS.filter(lambda text: "\n" not in text)},
        optional={
            name: FIELDS[name]
            for name in (
                "width",
                "height",
                "steps",
                "guidance_scale",
                "guidance_interval",
                "seed",
                "clip_skip",
                "loras",
                "vae",
                "refiner_start",
                "hires",
                "upscale",
            )
        }
        | {
            "negative_prompt": FIELDS["negative_prompt"].filter(lambda text: "\n" not in text),
            "sampler": st.sampled_from([each.name for each in SAMPLERS]),
        },
    )
)
def test_the_parameters_text_sent_again_is_the_same_generation(body: dict[str, Any]) -> None:
    try:
        generation = resolve(body)
    except InvalidRequestError:
        assume(False)
    text = parameters_of(generation)
    again = resolve(request_of(text))
    assert parameters_of(again) == text
    assert again.active_loras == generation.active_loras
    expected = {"prompt": again.prompt, "loras": (), "width": again.width, "height": again.height}
    assert again == generation.model_copy(update=expected)
    assert [stage.start for stage in again.prompt_stages] == [
        stage.start for stage in generation.prompt_stages
    ]
