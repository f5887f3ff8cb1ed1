from typing import Any

import pytest

from contract.options import OutputFormat
from contract.request import MAX_ADAPTERS, MAX_CONTROLNETS, JobRequest
from tests.contract.parsing import IMAGE, parse_errors

CANNY = {"type": "canny", "image": IMAGE}


@pytest.mark.parametrize(
    ("field", "fixed", "name", "lowest", "highest", "step"),
    [
        ("loras", {"name": "a"}, "weight", -4, 4, 0.01),
        ("controlnets", CANNY, "weight", 0, 2, 0.01),
        ("controlnets", CANNY, "start", 0, 0.999, 0.01),
        ("controlnets", CANNY, "end", 0.001, 1, 0.01),
        ("outpaint", {"right": 8}, "left", 0, 2048, 8),
        ("outpaint", {"left": 8}, "right", 0, 2048, 8),
        ("outpaint", {"left": 8}, "top", 0, 2048, 8),
        ("outpaint", {"left": 8}, "bottom", 0, 2048, 8),
        ("hires", {}, "scale", 1.001, 4, 0.001),
        ("hires", {}, "steps", 1, 1000, 1),
        ("hires", {}, "strength", 0.001, 1, 0.001),
        ("upscale", {}, "scale", 1.001, 4, 0.001),
    ],
)
def test_numbers_are_accepted_from_their_lowest_to_their_highest_value(
    field: str, fixed: dict[str, Any], name: str, lowest: float, highest: float, step: float
) -> None:
    def body(value: float) -> dict[str, Any]:
        options = {**fixed, name: value}
        return {"prompt": "x", field: [options] if field in ("loras", "controlnets") else options}

    for value in (lowest, highest):
        assert JobRequest.model_validate(body(value)).prompt == "x"
    for value in (lowest - step, highest + step):
        assert next(iter(parse_errors(body(value)))).startswith(f"#/{field}")


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"loras": [{"name": "../../etc/passwd"}]}, "#/loras/0/name", "must not contain / or"),
        ({"loras": [{"name": "a" * 101}]}, "#/loras/0/name", "at most 100 characters"),
        ({"loras": [{"name": ""}]}, "#/loras/0/name", "at least 1 character"),
        ({"loras": [{"name": str(n)} for n in range(MAX_ADAPTERS + 1)]}, "#/loras", "at most 8"),
        ({"embeddings": ["a/b"]}, "#/embeddings/0", "must not contain / or"),
        ({"embeddings": [str(n) for n in range(MAX_ADAPTERS + 1)]}, "#/embeddings", "at most 8"),
        ({"controlnets": [CANNY] * (MAX_CONTROLNETS + 1)}, "#/controlnets", "at most 4"),
        ({"controlnets": [{"type": "canny"}]}, "#/controlnets/0/image", "is required"),
        (
            {"controlnets": [{"type": "depth", "image": IMAGE, "preprocess": True}]},
            "#/controlnets/0",
            "preprocess is only available for canny",
        ),
        (
            {"controlnets": [{**CANNY, "start": 0.5, "end": 0.5}]},
            "#/controlnets/0",
            "start must be less than end",
        ),
        ({"outpaint": {}}, "#/outpaint", "must add at least 8 pixels"),
        ({"outpaint": {"left": 0}}, "#/outpaint", "must add at least 8 pixels"),
        ({"outpaint": {"left": 7}}, "#/outpaint/left", "multiple of 8"),
        ({"upscale": {"upscaler": "a/b"}}, "#/upscale/upscaler", "must not contain / or"),
    ],
)
def test_an_invalid_option_is_named_with_the_allowed_values(
    body: dict[str, Any], pointer: str, detail: str
) -> None:
    errors = parse_errors({"prompt": "x", **body})
    assert list(errors) == [pointer]
    assert detail in errors[pointer]


def test_the_maximum_number_of_adapters_is_accepted() -> None:
    names = [str(number) for number in range(MAX_ADAPTERS)]
    request = JobRequest.model_validate(
        {
            "prompt": "x",
            "loras": [{"name": name} for name in names],
            "embeddings": names,
            "controlnets": [CANNY] * MAX_CONTROLNETS,
            "vae": "a" * 100,
        }
    )
    assert (len(request.loras), len(request.embeddings), len(request.controlnets)) == (8, 8, 4)


def test_the_media_types_of_the_formats() -> None:
    media_types = [output_format.media_type for output_format in OutputFormat]
    assert media_types == ["image/png", "image/jpeg", "image/webp"]
