from typing import Any

import pytest

from contract.request import MAX_SEED
from tests.contract.parsing import IMAGE, resolve, violations_of


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"width": 520}, "#/width", "must be between 64 and 512 pixels, not 520"),
        ({"width": 56}, "#/width", "must be between 64 and 512 pixels, not 56"),
        ({"height": 520}, "#/height", "must be between 64 and 512 pixels, not 520"),
        ({"height": 56}, "#/height", "must be between 64 and 512 pixels, not 56"),
        ({"steps": 51}, "#/steps", "must be at most 50, not 51"),
        ({"count": 4}, "#/count", "must be at most 3, not 4"),
        ({"seed": MAX_SEED, "count": 2}, "#/seed", f"must be at most {MAX_SEED}, not {MAX_SEED + 1}"),
        ({"strength": 0.5}, "#/strength", "requires input_image"),
        ({"mask_image": IMAGE}, "#/mask_image", "requires input_image"),
        ({"outpaint": {"left": 8}}, "#/outpaint", "requires input_image"),
        (
            {"input_image": IMAGE, "steps": 4, "strength": 0.2},
            "#/strength",
            "4 steps at strength 0.2 leave no step to run; raise strength or steps",
        ),
        ({"input_image": IMAGE, "steps": 1}, "#/strength", "1 steps at strength 0.6 leave no step to run"),
        ({"input_image": IMAGE, "hires": {}}, "#/hires", "is for text-to-image only"),
        (
            {"input_image": IMAGE, "outpaint": {"left": 8}, "mask_image": IMAGE},
            "#/mask_image",
            "cannot be combined with outpaint",
        ),
        ({"input_image": IMAGE, "outpaint": {"left": 8}, "width": 64}, "#/width", "combined with outpaint"),
        ({"input_image": IMAGE, "outpaint": {"left": 8}, "height": 64}, "#/height", "combined with outpaint"),
        ({"input_image": IMAGE, "mask_blur": 0}, "#/mask_blur", "requires mask_image or outpaint"),
        ({"input_image": IMAGE, "mask_invert": True}, "#/mask_invert", "requires mask_image"),
        ({"input_image": IMAGE, "mask_alpha": True}, "#/mask_alpha", "requires mask_image"),
        ({"input_image": IMAGE, "mask_padding": 0}, "#/mask_padding", "requires mask_image"),
        (
            {"input_image": IMAGE, "mask_image": IMAGE, "mask_padding": 8, "upscale": {}},
            "#/mask_padding",
            "cannot be combined with upscale",
        ),
        (
            {"prompt": "a AND b", "guidance_interval": [0.2, 0.8]},
            "#/guidance_interval",
            "cannot be combined with AND",
        ),
        ({"loras": [{"name": "a"}, {"name": "a", "weight": 2}]}, "#/loras", "a name more than once"),
        ({"embeddings": ["a", "a"]}, "#/embeddings", "a name more than once"),
        ({"hires": {"steps": 51}}, "#/hires/steps", "must be at most 50, not 51"),
        ({"hires": {"steps": 3, "strength": 0.2}}, "#/hires/strength", "leave no step to run"),
        ({"steps": 3, "hires": {"strength": 0.2}}, "#/hires/strength", "3 steps at strength 0.2 leave"),
        (
            {"width": 512, "hires": {"scale": 2.1}},
            "#/hires/scale",
            "would result in a side of 1075 pixels; the limit is 1024",
        ),
        ({"height": 512, "hires": {"scale": 2.1}}, "#/hires/scale", "a side of 1075 pixels"),
        ({"width": 512, "upscale": {"scale": 4}}, "#/upscale/scale", "a side of 2048 pixels"),
        ({"width": 512, "hires": {}, "upscale": {}}, "#/upscale/scale", "a side of 2048 pixels"),
        ({"hires": {"scale": 3}, "upscale": {"scale": 3}}, "#/upscale/scale", "a side of 1152 pixels"),
        (
            {"input_image": IMAGE, "width": 512, "upscale": {"scale": 4}},
            "#/upscale/scale",
            "a side of 2048 pixels",
        ),
    ],
)
def test_a_violation_is_reported_with_the_field_and_the_limit(
    body: dict[str, Any], pointer: str, detail: str
) -> None:
    violations = violations_of(**body)
    assert list(violations) == [pointer]
    assert detail in violations[pointer]


@pytest.mark.parametrize(
    "body",
    [
        {"width": 64, "height": 512, "steps": 50, "count": 3},
        {"seed": MAX_SEED, "count": 1},
        {"seed": MAX_SEED - 2, "count": 3},
        {"input_image": IMAGE, "steps": 5, "strength": 0.2},
        {"input_image": IMAGE, "outpaint": {"left": 8}, "steps": 1},
        {"hires": {"steps": 50, "strength": 0.02}},
        {"width": 512, "hires": {"scale": 2}},
        {"width": 512, "upscale": {"scale": 2}},
        {"input_image": IMAGE, "upscale": {"scale": 4}},
        {"loras": [{"name": "a"}, {"name": "b"}]},
    ],
)
def test_values_at_the_limits_are_accepted(body: dict[str, Any]) -> None:
    assert resolve(**body).model_dump().keys() >= body.keys()
