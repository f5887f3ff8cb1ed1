"""Edits of images in OpenAI's form, and the jobs that they become."""

import base64
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from contract.submission import JobSubmission
from jobs.catalog import ModelCatalog
from jobs.compatibility.openai.edit import parse_edit
from jobs.compatibility.openai.models import ModelNames
from jobs.http.form import Form, FormFile
from tests.jobs.fakes import DEMO, OTHER

MODELS = ModelNames(ModelCatalog([DEMO, OTHER], "demo"), {"gpt-image-1": "other"})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
JPEG = b"\xff\xd8\xff" + bytes(60)


def url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def form(*files: tuple[str, bytes], **texts: str) -> Form:
    return Form(
        texts=tuple({"prompt": "a red circle", **texts}.items()),
        files=tuple(
            FormFile(name=name, filename="upload", media_type="application/octet-stream", data=data)
            for name, data in files
        ),
    )


def submission(*files: tuple[str, bytes], **texts: str) -> JobSubmission:
    return parse_edit(form(*files, **texts), MODELS).submission


def refused(*files: tuple[str, bytes], **texts: str) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        submission(*files, **texts)
    return {each.pointer: each.detail for each in caught.value.errors}


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_an_image_is_the_input_image(name: str) -> None:
    assert submission(
        (name, JPEG), model="gpt-image-1", n="2", size="512x512", quality="low"
    ) == JobSubmission(
        model="other",
        prompt="a red circle",
        count=2,
        width=512,
        height=512,
        steps=15,
        input_image=url("image/jpeg", JPEG),
    )


def test_transparent_areas_of_the_mask_are_generated_from_noise() -> None:
    assert submission(("image", JPEG), ("mask", PNG)) == JobSubmission(
        model="demo",
        prompt="a red circle",
        input_image=url("image/jpeg", JPEG),
        mask_image=url("image/png", PNG),
        mask_invert=True,
        mask_alpha=True,
        strength=1.0,
    )
    assert submission(("image", JPEG), ("mask", PNG), strength="0.7").strength == 0.7
    assert submission(("image", JPEG)).strength is None


def test_texts_have_the_types_of_their_fields() -> None:
    made = submission(
        ("image", PNG),
        prompt="7",
        seed="7",
        guidance_scale="5",
        stream="false",
        loras='[{"name": "moon", "weight": 0.5}]',
        response_format="b64_json",
    )
    assert (made.prompt, made.seed, made.guidance_scale) == ("7", 7, 5.0)
    assert [(each.name, each.weight) for each in made.loras] == [("moon", 0.5)]


def test_lists_of_texts_may_be_sent_as_clients_send_them() -> None:
    parts = (("prompt", "a red circle"), ("tags[]", "a"), ("tags[]", "b"))
    files = form(("image", PNG)).files
    assert parse_edit(Form(texts=parts, files=files), MODELS).submission.tags == ("a", "b")


@pytest.mark.parametrize(
    ("texts", "name", "reason"),
    [
        ({"n": "two"}, "n", "valid integer"),
        ({"n": '1,"count":1'}, "n", "valid integer"),
        ({"seed": "1.5"}, "seed", "valid integer"),
        ({"input_fidelity": "high"}, "input_fidelity", "only low is supported"),
        ({"input_image": "https://example.com/a.png"}, "input_image", "sent as the file image"),
        ({"mask_image": "https://example.com/a.png"}, "mask_image", "sent as the file mask"),
        ({"mask_invert": "true"}, "mask_invert", "meaning of mask"),
        ({"mask_alpha": "true"}, "mask_alpha", "meaning of mask"),
        ({"loras[][name]": "moon"}, "loras", "must be a JSON text in a form"),
        ({"hires[scale]": "2"}, "hires", "must be a JSON text in a form"),
        ({"background": "transparent"}, "background", "no transparent areas"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(texts: dict[str, str], name: str, reason: str) -> None:
    errors = refused(("image", PNG), **texts)
    assert [*errors] == [f"#/{name}"]
    assert reason in errors[f"#/{name}"]


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ((), "image", "is required"),
        ((("image[]", PNG), ("image[]", PNG)), "image", "several images cannot be combined"),
        ((("image", PNG), ("mask", PNG), ("mask", PNG)), "mask", "must be one file"),
        ((("image", b"text"),), "image", "must be one of image/png"),
        ((("image", PNG), ("markup", PNG)), "markup", "unknown file; the form has image and mask"),
        ((("image", PNG + bytes(3_750_000)),), "image", "at most 5,000,000 characters"),
    ],
    ids=["no image", "two images", "two masks", "no image file", "unknown file", "too large"],
)
def test_files_that_cannot_be_used_are_refused_by_name(
    files: tuple[tuple[str, bytes], ...], name: str, reason: str
) -> None:
    errors = refused(*files)
    assert [*errors] == [f"#/{name}"]
    assert reason in errors[f"#/{name}"]


@pytest.mark.parametrize("names", [("seed", "seed"), ("tags[]", "tags"), ("tags", "tags[]")])
def test_a_field_that_is_given_twice_is_refused(names: tuple[str, str]) -> None:
    texts: Any = (("prompt", "a red circle"), *((name, "1") for name in names))
    with pytest.raises(InvalidRequestError, match=f"{names[0].removesuffix('[]')}: must be given once"):
        parse_edit(Form(texts=texts, files=form(("image", PNG)).files), MODELS)
