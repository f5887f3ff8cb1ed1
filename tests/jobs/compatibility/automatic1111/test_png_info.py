"""The parameters in images."""

import base64
import io
import json
import zlib
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from contract.generation import Generation, InvalidRequestError
from contract.options import OutputFormat
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata, Provenance
from jobs.compatibility.automatic1111.infotext import parse_infotext
from jobs.compatibility.automatic1111.png_info import read_png_info
from jobs.compatibility.automatic1111.png_text import SIGNATURE, PngError, texts_of
from tests.jobs.fakes import a_job

IMAGE = Image.new("RGB", (64, 64))


def png(**texts: Any) -> bytes:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text, zip=keyword.startswith("zipped"))
    buffer = io.BytesIO()
    IMAGE.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def request(data: bytes, prefix: str = "") -> str:
    return json.dumps({"image": prefix + base64.b64encode(data).decode()})


def test_texts_of_every_kind_are_read() -> None:
    texts = {"plain": "a red circle", "unicode": "ein Röt \N{BLACK CIRCLE}", "zipped": "x" * 500}
    texts["zipped_unicode"] = "\N{BLACK CIRCLE}" * 500
    assert texts_of(png(**texts)) == texts


def test_the_parameters_of_a_generated_image_are_read() -> None:
    generation: Generation = a_job(
        prompt="a (red:1.2) circle, <lora:moon:0.8>\non blue", negative_prompt="lowres", seed=5
    ).generation
    provenance = Provenance(revision="f" * 64, versions={"diffusers": "1", "torch": "2"})
    metadata = ImageMetadata.of(generation, 0, size=(512, 512), provenance=provenance)
    found = read_png_info(request(encode(IMAGE, OutputFormat.PNG, 90, metadata)))
    assert found.info == metadata.parameters
    assert found.items == {"generation": metadata.generation}
    assert found.parameters == {
        "Prompt": "a (red:1.2) circle, <lora:moon:0.8>\non blue",
        "Negative prompt": "lowres",
        "Steps": "30",
        "Sampler": "Euler a",
        "CFG scale": "7.5",
        "Seed": "5",
        "Size-1": "512",
        "Size-2": "512",
        "Model hash": "f" * 10,
        "Model": "demo",
        "Version": "diffusers 1, torch 2",
    }


def test_an_image_may_be_a_data_url() -> None:
    found = read_png_info(request(png(parameters="a"), "data:image/png;base64,"))
    assert (found.info, found.parameters) == ("a", {"Prompt": "a", "Negative prompt": ""})


def test_an_image_without_texts_has_no_parameters() -> None:
    found = read_png_info(request(png()))
    assert (found.info, found.items, found.parameters) == ("", {}, {})


def test_a_last_line_with_few_parameters_belongs_to_the_prompt() -> None:
    text = "a sign\nthat says: hello, world: yes"
    assert parse_infotext(text) == {"Prompt": text, "Negative prompt": ""}


def test_a_negative_prompt_may_have_several_lines() -> None:
    found = parse_infotext("a\nNegative prompt: b\nc\nSteps: 1, Sampler: Euler, Seed: 2")
    assert found == {
        "Prompt": "a",
        "Negative prompt": "b\nc",
        "Steps": "1",
        "Sampler": "Euler",
        "Seed": "2",
    }


def test_a_quoted_value_may_contain_commas_and_quotes() -> None:
    found = parse_infotext('a\nSteps: 1, Sampler: Euler, ControlNet 0: "Model: \\"x\\", Weight: 1"')
    assert found["ControlNet 0"] == 'Model: "x", Weight: 1'
    assert parse_infotext('a\nSteps: 1, Sampler: Euler, X: "\\q"')["X"] == '"\\q"'


JPEG = b"\xff\xd8\xff\xe0" + bytes(60)


@pytest.mark.parametrize(
    "body",
    [request(JPEG), request(png()[:-20]), '{"image": "no base64!"}', '{"image": ""}', "{}", '{"image": 1}'],
)
def test_other_files_are_refused_under_the_fields_name(body: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_png_info(body)
    assert [each.pointer for each in caught.value.errors] == ["#/image"]


@pytest.mark.parametrize(
    "chunks",
    [
        chunk(b"tEXt", b"a\0" + bytes(300_000)),
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10_000_000))),
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(10_000_000))),
        chunk(b"iTXt", b"a\0\0\0\0\0" + bytes(300_000)),
        b"".join(chunk(b"tEXt", b"%d\0a" % index) for index in range(65)),
        chunk(b"zTXt", b"a\0\0text"),
        chunk(b"iTXt", b"a\0\0\0"),
        chunk(b"tEXt", b"a"),
        b"\xff\xff\xff\xfftEXta\0a",
    ],
)
def test_texts_that_are_too_long_or_damaged_are_refused(chunks: bytes) -> None:
    with pytest.raises(PngError):
        texts_of(SIGNATURE + chunks + chunk(b"IEND", b""))
