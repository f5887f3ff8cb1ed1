"""What a file says of itself can be read again, whatever the prompt, and draws the image again."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelLimits
from contract.options import OutputFormat
from contract.request import MAX_PROMPT_CHARACTERS, JobRequest
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata, Provenance
from tests.inference.generations import MODEL, generation_of
from tests.inference.output.metadata_reader import document, last_line, parameters

FORMATS = pytest.mark.parametrize("output_format", list(OutputFormat))
VERSIONS = {"diffusers": "0.42.1", "torch": "2.13.0"}
WIDE = MODEL.model_copy(update={"limits": ModelLimits(max_count=8)})
JOB_ID = new_job_id()
PROMPTS = st.text(max_size=60).filter(str.strip)
ANY_SCRIPT = (
    '\x00\x07\x7f 星空の猫 قطة زرقاء 🐈‍⬛ ñ\r\n<b>&amp;]]>\ufffe\uffff\u2028 \\n "quoted": 1,\nSteps: 1'
)


def provenance_of(generation: Generation, index: int = 0, revision: str | None = None) -> ImageMetadata:
    return ImageMetadata.of(
        generation, index, size=(64, 64), made_with=Provenance(revision=revision, versions=VERSIONS)
    )


def file_of(generation: Generation, index: int = 0) -> bytes:
    picture = Image.new("RGB", (16, 8), "red")
    return encode(picture, generation.output_format, generation.quality, provenance_of(generation, index))


def text_of(revision: str | None = None, **request: Any) -> str:
    return provenance_of(generation_of(model=WIDE, **request), revision=revision).parameters


def again(file: bytes) -> Generation:
    """The generation that the file's own request makes."""
    found = document(file)
    assert found is not None
    return Generation.resolve(JobRequest.model_validate(found["request"]), WIDE, job_id=JOB_ID, seed=0)


def same(generation: Generation, **otherwise: int) -> Generation:
    """The generation as `again` gives it."""
    return generation.model_copy(update={"id": JOB_ID, **otherwise})


@FORMATS
@settings(deadline=None)
@given(prompt=PROMPTS, negative_prompt=st.text(max_size=60))
@example(prompt=ANY_SCRIPT, negative_prompt=ANY_SCRIPT)
@example(prompt="\x80\x9f latin é", negative_prompt="")
def test_any_prompt_can_be_read_again(output_format: OutputFormat, prompt: str, negative_prompt: str) -> None:
    generation = generation_of(prompt=prompt, negative_prompt=negative_prompt, output_format=output_format)
    file = file_of(generation)
    assert again(file) == same(generation)
    readable = (text.replace("\0", "\ufffd") for text in (prompt, negative_prompt))
    expected = "\nNegative prompt: ".join(text for text in readable if text)
    assert parameters(file).rpartition("\nSteps: ")[0] == expected


@FORMATS
def test_an_image_drawn_again_alone_has_the_same_file(output_format: OutputFormat) -> None:
    generation = generation_of(model=WIDE, count=3, seed=40, output_format=output_format, quality=70)
    file = file_of(generation, 2)
    alone = again(file)
    assert alone == same(generation, seed=42, count=1)
    assert file_of(alone) == file
    assert last_line(parameters(file))["Seed"] == "42"


def test_the_weights_and_the_libraries_are_in_the_file() -> None:
    found = json.loads(provenance_of(generation_of(), revision="a" * 40).generation)
    assert (found["revision"], found["versions"]) == ("a" * 40, VERSIONS)


def test_everything_a_request_may_say_is_in_the_file() -> None:
    generation = generation_of(
        model=WIDE,
        loras=[{"name": "moon", "weight": 0.5}],
        embeddings=["bad-hands"],
        controlnets=[{"type": "canny", "image": "s3://data/inputs/a.png", "preprocess": True}],
        vae="ft-mse",
        clip_skip=2,
        refiner_start=0.8,
        hires={"scale": 1.5, "strength": 0.4},
        upscale={"scale": 2.0, "upscaler": "x4"},
    )
    assert again(file_of(generation)) == same(generation)


def test_an_inpainting_is_in_the_file_too() -> None:
    generation = generation_of(
        input_image="https://example.org/a.png",
        mask_image="s3://data/inputs/m.png",
        strength=0.6,
        mask_blur=0,
    )
    assert again(file_of(generation)) == same(generation)


def test_a_picture_that_came_inside_the_request_is_named_by_its_hash() -> None:
    content = b"\x89PNG and so on"
    inside = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    found = document(
        file_of(generation_of(input_image=inside, controlnets=[{"type": "pose", "image": inside}]))
    )
    assert found is not None
    name = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert found["request"]["input_image"] == name == found["request"]["controlnets"][0]["image"]


def test_a_signed_address_loses_its_signature() -> None:
    address = "https://bucket.example.org/a.png?X-Amz-Signature=secret#part"
    file = file_of(generation_of(input_image=address))
    assert b"secret" not in file
    found = document(file)
    assert found is not None
    assert found["request"]["input_image"] == "https://bucket.example.org/a.png"


def test_the_parameters_follow_the_convention() -> None:
    text = text_of(
        prompt="a red circle",
        negative_prompt="blurry",
        sampler="dpmpp_2m_karras",
        steps=20,
        guidance_scale=7.0,
        seed=1,
        width=512,
        height=256,
    )
    assert text == (
        "a red circle\n"
        "Negative prompt: blurry\n"
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1, Size: 512x256, Model: demo, "
        'Version: "diffusers 0.42.1, torch 2.13.0"'
    )


def test_only_the_hash_of_a_file_is_a_model_hash() -> None:
    assert last_line(text_of(revision="abcdef0123456789" * 4))["Model hash"] == "abcdef0123"
    assert "Model hash" not in last_line(text_of(revision="a" * 40))


def test_passes_and_adapters_have_the_names_that_are_used_for_them() -> None:
    text = text_of(
        prompt="a moon",
        loras=[{"name": "moon", "weight": 0.5}, {"name": "ink"}],
        controlnets=[
            {"type": "canny", "image": "s3://d/a", "preprocess": True},
            {"type": "pose", "image": "s3://d/b"},
        ],
        vae="ft-mse",
        clip_skip=2,
        refiner_start=0.8,
        hires={"scale": 1.5, "strength": 0.4},
        upscale={"upscaler": "x4"},
    )
    assert text.startswith("a moon <lora:moon:0.5> <lora:ink:1>\nSteps: 4, ")
    assert (
        last_line(text).items()
        >= {
            "VAE": "ft-mse",
            "Clip skip": "2",
            "Refiner switch at": "0.8",
            "Denoising strength": "0.4",
            "Hires upscale": "1.5",
            "Hires steps": "4",
            "Hires upscaler": "Lanczos",
            "Postprocess upscale by": "2",
            "Postprocess upscaler": "x4",
            "ControlNet 0": "Module: canny, Model: canny, Weight: 1, Guidance Start: 0, Guidance End: 1",
            "ControlNet 1": "Module: none, Model: pose, Weight: 1, Guidance Start: 0, Guidance End: 1",
        }.items()
    )


def test_the_size_of_an_image_from_an_image_is_the_one_it_was_drawn_at() -> None:
    generation = generation_of(from_image=True, upscale={"scale": 1.7})
    provenance = ImageMetadata.of(
        generation, 0, size=(312, 149), made_with=Provenance(revision=None, versions=VERSIONS)
    )
    found = last_line(provenance.parameters)
    assert (found["Size"], found["Denoising strength"]) == ("184x88", "0.8")


@FORMATS
@pytest.mark.parametrize("character", ["\0", "&", "🐈"])
def test_the_longest_prompts_fit(output_format: OutputFormat, character: str) -> None:
    longest = "a" + character * (MAX_PROMPT_CHARACTERS - 1)
    generation = generation_of(prompt=longest, negative_prompt=longest, output_format=output_format)
    file = file_of(generation)
    assert again(file) == same(generation)
    assert last_line(parameters(file))["Seed"] == "11"


def test_what_a_jpeg_has_no_room_for_is_left_out() -> None:
    longest, address = "\0" * (MAX_PROMPT_CHARACTERS - 1), "s3://data/" + "&" * 2000
    generation = generation_of(
        prompt="a" + longest,
        negative_prompt=longest,
        input_image=address,
        mask_image=address,
        output_format=OutputFormat.JPEG,
    )
    file = file_of(generation)
    assert document(file) is None
    assert last_line(parameters(file))["Seed"] == "11"
