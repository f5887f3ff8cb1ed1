"""Metadata survives encoding for any request, and its request reproduces the file."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelLimits
from contract.options import OutputFormat
from contract.request import (
    MAX_ADAPTERS,
    MAX_CONTROLNETS,
    MAX_PROMPT_CHARACTERS,
    JobRequest,
    input_image_uris,
)
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata, Provenance
from tests.inference.generations import MODEL, generation_of
from tests.inference.output.metadata_reader import parse_parameters, read_generation, read_parameters

FORMATS = pytest.mark.parametrize("output_format", list(OutputFormat))
VERSIONS = {"diffusers": "0.42.1", "torch": "2.13.0"}
WIDE = MODEL.model_copy(update={"limits": ModelLimits(max_count=8)})
JOB_ID = new_job_id()
PROMPTS = st.text(max_size=60).filter(str.strip)
ANY_SCRIPT = (
    '\x00\x07\x7f 星空の猫 قطة زرقاء 🐈‍⬛ ñ\r\n<b>&amp;]]>\ufffe\uffff\u2028 \\n "quoted": 1,\nSteps: 1'
)


def digests_of(generation: Generation) -> dict[str, str]:
    """A different digest for each input image."""
    return {pointer: f"{index:064x}" for index, pointer in enumerate(input_image_uris(generation), start=1)}


def metadata_of(
    generation: Generation, index: int = 0, *, revision: str | None = None, size: tuple[int, int] = (64, 64)
) -> ImageMetadata:
    provenance = Provenance(revision=revision, versions=VERSIONS, input_digests=digests_of(generation))
    return ImageMetadata.of(generation, index, size=size, provenance=provenance)


def file_of(generation: Generation, index: int = 0) -> bytes:
    image = Image.new("RGB", (16, 8), "red")
    return encode(image, generation.output_format, generation.quality, metadata_of(generation, index))


def parameters_of(revision: str | None = None, **request: Any) -> str:
    parameters = metadata_of(generation_of(model=WIDE, **request), revision=revision).parameters
    assert parameters is not None
    return parameters


def reproduce(file: bytes, inputs: Mapping[str, str] | None = None) -> Generation:
    """The generation of the request in a file, with `inputs` in place of the digests of input images."""
    document = read_generation(file)
    assert document is not None
    text = json.dumps(document["request"])
    for name, uri in (inputs or {}).items():
        assert name in text
        text = text.replace(name, uri)
    return Generation.resolve(JobRequest.model_validate_json(text), WIDE, job_id=JOB_ID, seed=0)


def with_job_id(generation: Generation, **changes: int) -> Generation:
    return generation.model_copy(update={"id": JOB_ID, **changes})


@FORMATS
@given(prompt=PROMPTS, negative_prompt=st.text(max_size=60))
@example(prompt=ANY_SCRIPT, negative_prompt=ANY_SCRIPT)
@example(prompt="\x80\x9f latin é", negative_prompt="")
def test_any_prompt_can_be_read_from_the_file(
    output_format: OutputFormat, prompt: str, negative_prompt: str
) -> None:
    generation = generation_of(prompt=prompt, negative_prompt=negative_prompt, output_format=output_format)
    file = file_of(generation)
    assert reproduce(file) == with_job_id(generation)
    readable = (text.replace("\0", "\ufffd") for text in (prompt, negative_prompt))
    expected = "\nNegative prompt: ".join(text for text in readable if text)
    assert str(read_parameters(file)).rpartition("\nSteps: ")[0] == expected


@FORMATS
def test_the_request_in_a_file_reproduces_the_file(output_format: OutputFormat) -> None:
    generation = generation_of(model=WIDE, count=3, seed=40, output_format=output_format, quality=70)
    file = file_of(generation, 2)
    alone = reproduce(file)
    assert alone == with_job_id(generation, seed=42, count=1)
    assert file_of(alone) == file
    assert parse_parameters(str(read_parameters(file)))["Seed"] == "42"


def test_the_revision_and_the_versions_are_in_the_file() -> None:
    document = json.loads(str(metadata_of(generation_of(), revision="a" * 40).generation))
    assert (document["revision"], document["versions"]) == ("a" * 40, VERSIONS)


def test_every_option_is_in_the_file() -> None:
    generation = generation_of(
        model=WIDE,
        loras=[{"name": "moon", "weight": 0.5}],
        embeddings=["bad-hands"],
        vae="ft-mse",
        clip_skip=2,
        refiner_start=0.8,
        hires={"scale": 1.5, "strength": 0.4},
        upscale={"scale": 2.0, "upscaler": "x4"},
    )
    assert reproduce(file_of(generation)) == with_job_id(generation)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://private-bucket/inputs/a.png",
        "https://private.example/a.png?X-Amz-Signature=secret#private",
        "data:image/png;base64,cHJpdmF0ZQ==",
    ],
)
@FORMATS
def test_input_images_are_named_by_their_digests(output_format: OutputFormat, uri: str) -> None:
    generation = generation_of(
        input_image=uri,
        mask_image=uri,
        controlnets=[{"type": "canny", "image": uri}, {"type": "pose", "image": uri, "weight": 0.5}],
        strength=0.6,
        mask_blur=0,
        output_format=output_format,
    )
    file = file_of(generation)
    names = [f"sha256:{index:064x}" for index in range(1, 5)]
    document = read_generation(file)
    assert document is not None
    request = document["request"]
    controls = [each["image"] for each in request["controlnets"]]
    assert [request["input_image"], request["mask_image"], *controls] == names
    parameters = parse_parameters(str(read_parameters(file)))
    keys = ("Init image hash", "Mask image hash", "Control image 0 hash", "Control image 1 hash")
    assert [parameters[key] for key in keys] == names
    assert reproduce(file, dict.fromkeys(names, uri)) == with_job_id(generation)
    for secret in (b"private", b"secret", b"cHJpdmF0ZQ"):
        assert secret not in file


def test_the_parameters_have_automatic1111s_format() -> None:
    text = parameters_of(
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


def test_the_parameters_of_inpainting_have_automatic1111s_names() -> None:
    images = {"input_image": "s3://data/inputs/a", "mask_image": "s3://data/inputs/b"}
    parameters = parse_parameters(parameters_of(**images, mask_invert=True, mask_padding=32))
    assert parameters["Mask mode"] == "Inpaint not masked"
    assert (parameters["Inpaint area"], parameters["Masked area padding"]) == ("Only masked", "32")


def test_the_model_hash_is_only_given_for_a_file() -> None:
    assert parse_parameters(parameters_of(revision="abcdef0123456789" * 4))["Model hash"] == "abcdef0123"
    assert "Model hash" not in parse_parameters(parameters_of(revision="a" * 40))


def test_passes_and_adapters_have_automatic1111s_names() -> None:
    text = parameters_of(
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
        parse_parameters(text).items()
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


def test_the_size_of_image_to_image_is_the_one_before_upscaling() -> None:
    generation = generation_of(from_image=True, upscale={"scale": 1.7})
    parameters = parse_parameters(str(metadata_of(generation, size=(312, 149)).parameters))
    assert (parameters["Size"], parameters["Denoising strength"]) == ("184x88", "0.8")


@FORMATS
@pytest.mark.parametrize("character", ["\0", "&", "🐈", "\uffff"])
def test_the_metadata_of_the_largest_request_fits(output_format: OutputFormat, character: str) -> None:
    prompt = "a" + character * (MAX_PROMPT_CHARACTERS - 1)
    names = [f"{index}" * 100 for index in range(MAX_ADAPTERS)]
    uri = "s3://data/inputs/a.png"
    generation = generation_of(
        prompt=prompt,
        negative_prompt=prompt,
        input_image=uri,
        mask_image=uri,
        controlnets=[{"type": names[0], "image": uri}] * MAX_CONTROLNETS,
        loras=[{"name": name, "weight": -1.2345678901} for name in names],
        embeddings=names,
        vae=names[0],
        refiner_start=0.12345678901,
        upscale={"upscaler": names[0]},
        output_format=output_format,
    )
    file = file_of(generation)
    digests = {f"sha256:{digest}": uri for digest in digests_of(generation).values()}
    assert reproduce(file, digests) == with_job_id(generation)
    assert parse_parameters(str(read_parameters(file)))["Seed"] == "11"


def test_fields_that_the_model_does_not_use_are_not_named() -> None:
    generation = generation_of(guidance_scale=3.0)
    provenance = Provenance(revision=None, versions={}, unused=frozenset({"sampler", "guidance_scale"}))
    metadata = ImageMetadata.of(generation, 0, size=(64, 64), provenance=provenance)
    assert metadata.parameters is not None
    assert metadata.generation is not None
    assert "Sampler" not in metadata.parameters
    assert "CFG scale" not in metadata.parameters
    assert {"sampler", "guidance_scale"}.isdisjoint(json.loads(metadata.generation)["request"])
