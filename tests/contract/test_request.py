import pytest

from contract.request import JobRequest, input_image_uris
from tests.contract.parsing import IMAGE, parse_errors, resolve

URL = "https://example.com/"
MEDIA_TYPES = "one of image/png, image/jpeg, image/webp, image/gif, image/bmp, image/tiff"
REFUSED_DATA_URLS = (
    "data:text/html;base64,AAAA",
    "data:image/svg+xml;base64,AAAA",
    "data:image/PNG;base64,AAAA",
    "data:image/x\r\nheader: value;base64,AAAA",
    "data:image/" + "x" * 3_000_000 + ";base64,AAAA",
    "data:image/png,AAAA",
    "data:image/png;base64",
)


@pytest.mark.parametrize(
    ("field", "lowest", "highest", "step"),
    [
        ("width", 8, 16_376, 8),
        ("height", 8, 16_376, 8),
        ("steps", 1, 1000, 1),
        ("count", 1, 64, 1),
        ("seed", 0, 4_294_967_295, 1),
        ("mask_blur", 0, 64, 1),
        ("mask_padding", 0, 512, 1),
        ("clip_skip", 1, 12, 1),
        ("quality", 1, 100, 1),
        ("guidance_scale", 0, 50, 0.01),
        ("strength", 0.001, 1, 0.001),
        ("refiner_start", 0.001, 0.999, 0.001),
    ],
)
def test_numbers_are_accepted_from_their_lowest_to_their_highest_value(
    field: str, lowest: float, highest: float, step: float
) -> None:
    for value in (lowest, highest):
        assert getattr(JobRequest.model_validate({"prompt": "x", field: value}), field) == value
    for value in (lowest - step, highest + step):
        assert f"#/{field}" in parse_errors({"prompt": "x", field: value})


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_prompts_have_a_maximum_length(field: str) -> None:
    body = {"prompt": "x", field: "a" * 4000}
    assert len(getattr(JobRequest.model_validate(body), field)) == 4000
    assert list(parse_errors({**body, field: "a" * 4001})) == [f"#/{field}"]


@pytest.mark.parametrize(
    ("uri", "detail"),
    [
        ("http://example.com/a.png", "https://host/path"),
        ("https://", "https://host/path"),
        ("https://user:secret@example.com/a", "user name or a password"),
        ("https://user@example.com/a", "user name or a password"),
        *((url, MEDIA_TYPES) for url in REFUSED_DATA_URLS),
        ("file:///etc/passwd", "s3://bucket/key"),
        ("s3://bucket", "s3://bucket/key"),
        (URL + "a" * (2049 - len(URL)), "at most 2048 characters"),
        ("s3://data/" + "a" * 2039, "at most 2048 characters"),
        ("https://example.com/\n", "control characters"),
        ("s3://data/inputs/\x00", "control characters"),
        ("https://[::1", "IPv6"),
    ],
)
@pytest.mark.parametrize("field", ["input_image", "mask_image"])
def test_an_invalid_image_uri_is_refused(field: str, uri: str, detail: str) -> None:
    errors = parse_errors({"prompt": "x", field: uri})
    assert detail in errors[f"#/{field}"]


@pytest.mark.parametrize(
    "uri",
    [
        IMAGE,
        "HTTPS://example.com/a.png?signature=x#part",
        URL + "a" * (2048 - len(URL)),
        "s3://data/" + "a" * 2038,
        "data:image/png;base64,AAAA",
        "DATA:image/webp;base64,",
        *(f"data:image/{kind};base64,AAAA" for kind in ("jpeg", "webp", "gif", "bmp", "tiff")),
    ],
)
def test_a_valid_image_uri_is_accepted_unchanged(uri: str) -> None:
    assert JobRequest(prompt="x", input_image=uri).input_image == uri


def test_a_sampler_alias_is_replaced_by_the_samplers_name() -> None:
    assert JobRequest(prompt="x", sampler="eular").sampler == "euler"


@pytest.mark.parametrize("prompt", ["красный круг", "赤い丸", "🔴", "e\u0301", "a\nb", '"quoted"'])
def test_any_text_is_a_prompt(prompt: str) -> None:
    request = JobRequest(prompt=prompt)
    assert JobRequest.model_validate_json(request.model_dump_json()).prompt == prompt


def test_the_uris_of_input_images_are_listed_by_their_pointers() -> None:
    images = {
        "input_image": IMAGE,
        "mask_image": "https://example.com/mask.png",
        "controlnets": [
            {"type": "canny", "image": "s3://data/inputs/b"},
            {"type": "pose", "image": "s3://data/inputs/c"},
        ],
    }
    uris = {
        "#/input_image": IMAGE,
        "#/mask_image": "https://example.com/mask.png",
        "#/controlnets/0/image": "s3://data/inputs/b",
        "#/controlnets/1/image": "s3://data/inputs/c",
    }
    assert input_image_uris(JobRequest.model_validate({"prompt": "x", **images})) == uris
    assert input_image_uris(resolve(**images)) == uris
    assert input_image_uris(resolve()) == {}
