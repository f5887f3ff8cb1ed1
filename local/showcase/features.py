"""The features of the showcase, with the requests and input images that demonstrate them."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

from contract.problem import ErrorCode
from training.scene import SIZE, Scene

_STAR = "a big yellow star on a blue background"
_SEED = 7
_SAMPLERS = ("euler_a", "DPM++ 2M Karras", "UniPC", "Heun", "LCM")
_EMPHASES = ("red", "(red:1.4)", "(red:1.8)")
_COLOURS = ("red", "[red:yellow:0.9]", "[red|yellow]", "yellow")
_PADDING = " ".join(["photo"] * 80)


@dataclass(frozen=True, kw_only=True)
class InputPanel:
    """An input image of the feature's requests."""

    caption: str
    image: Image.Image


@dataclass(frozen=True, kw_only=True)
class RequestPanel:
    """A request for one image.

    Attributes:
        request: the body of POST /v1/jobs.
        error: the error code of a request that may fail; None if it must succeed.
        must_fail: whether the request must fail with `error`.
    """

    request: Mapping[str, Any]
    error: ErrorCode | None = None
    must_fail: bool = False


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature, demonstrated by images side by side."""

    label: str
    panels: tuple[InputPanel | RequestPanel, ...]

    @property
    def requests(self) -> tuple[Mapping[str, Any], ...]:
        """The requests, from left to right."""
        return tuple(panel.request for panel in self.panels if isinstance(panel, RequestPanel))


def features(side: int) -> tuple[Feature, ...]:
    """The features, with prompts for the demo model.

    Args:
        side: the model's default width or height, whichever is smaller, in pixels; a multiple of 16.
    """
    return (
        _feature("Text to image", {"prompt": _STAR}, {"seed": 7}, {"seed": 8}),
        _feature("Samplers", {"prompt": _STAR, "seed": _SEED}, *({"sampler": name} for name in _SAMPLERS)),
        _feature("Steps", {"prompt": _STAR, "seed": _SEED}, {"steps": 1}, {"steps": 4}, {"steps": 20}),
        _feature(
            "Emphasis",
            {"seed": 6},
            *({"prompt": f"a {red} orange circle on a white background"} for red in _EMPHASES),
        ),
        _feature(
            "Prompt editing",
            {"seed": _SEED},
            *({"prompt": f"a big {colour} star on a blue background"} for colour in _COLOURS),
        ),
        _feature(
            "Beyond 77 tokens",
            {"seed": _SEED},
            {"prompt": _PADDING},
            {"prompt": f"{_PADDING} a red circle on a white background"},
        ),
        _feature(
            "Clip skip",
            {"prompt": "a striped orange heart on a black background", "seed": 1},
            *({"clip_skip": layer} for layer in (1, 2, 3)),
        ),
        _feature(
            "LoRA",
            {"prompt": "a big red moon on a white background", "seed": 1},
            {"loras": []},
            {"loras": [{"name": "moon"}]},
        ),
        _feature(
            "DoRA",
            {"prompt": "a big red moon on a white background", "seed": 1},
            *({"loras": [{"name": "moon-dora", "weight": weight}]} for weight in (0.0, 0.5, 1.0)),
        ),
        *_features_with_input_images(side),
        _feature(
            "Hires pass",
            {"prompt": _STAR, "seed": 1, "width": side // 2, "height": side // 2},
            {"hires": None},
            {"hires": {"scale": 2, "strength": 0.7}},
        ),
        _feature(
            "Upscaling",
            {"prompt": _STAR, "seed": _SEED},
            {"upscale": None},
            {"upscale": {"scale": 1.5, "upscaler": "lanczos"}},
        ),
        _feature(
            "Output formats",
            {"prompt": _STAR, "seed": _SEED},
            *({"output_format": name} for name in ("png", "jpeg", "webp")),
        ),
        Feature(
            label="Refused requests",
            panels=(
                RequestPanel(
                    request={"prompt": _STAR, "width": 100},
                    error=ErrorCode.VALIDATION_FAILED,
                    must_fail=True,
                ),
                RequestPanel(
                    request={"prompt": _STAR, "loras": [{"name": "comet"}]},
                    error=ErrorCode.ADAPTER_NOT_FOUND,
                    must_fail=True,
                ),
            ),
        ),
    )


def _features_with_input_images(side: int) -> tuple[Feature, ...]:
    square = _painted(
        side, Scene(shape="square", colour="red", background="white", size="small", position="left")
    )
    circle = _painted(side, Scene(shape="circle", colour="orange", background="white", size="big"))
    half = _painted(side, Scene(shape="circle", colour="blue", background="yellow", size="big"))
    border = side // 32 * 8
    half = half.crop((border, 0, side - border, side))
    heart = _painted(
        side, Scene(shape="heart", colour="black", background="white", size="small", position="right")
    )
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).rectangle((side // 2, 0, side, side), fill=255)
    pair = Image.new("RGB", (2 * side, side))
    pair.paste(_painted(side, Scene(shape="star", colour="yellow", background="blue", size="big")), (0, 0))
    pair.paste(circle, (side, 0))
    right = Image.new("L", pair.size)
    ImageDraw.Draw(right).rectangle((side, 0, 2 * side, side), fill=255)
    control = {"type": "canny", "image": data_url(heart), "preprocess": True}
    purple_heart = {"prompt": "a purple heart on a yellow background", "seed": _SEED}
    return (
        _feature(
            "Image to image",
            {"prompt": "a blue star on a yellow background", "input_image": data_url(square), "seed": 1},
            {"strength": 0.3},
            {"strength": 0.7},
            input=square,
        ),
        _feature(
            "Inpainting",
            {
                "prompt": "a big red circle on a white background",
                "input_image": data_url(circle),
                "mask_image": data_url(mask),
                "strength": 1.0,
                "sampler": "ddim",
                "seed": 3,
            },
            {},
            input=circle,
            mask=mask,
        ),
        _feature(
            "Inpainting, only masked",
            {
                "prompt": "a big green heart on a white background",
                "input_image": data_url(pair),
                "mask_image": data_url(right),
                "strength": 1.0,
                "sampler": "ddim",
                "seed": 3,
            },
            {},
            {"mask_padding": 0},
            input=pair,
        ),
        _feature(
            "Outpainting",
            {
                "prompt": "a big blue circle on a yellow background",
                "input_image": data_url(half),
                "outpaint": {"left": border, "right": border},
                "seed": 3,
            },
            {},
            input=half,
        ),
        Feature(
            label="ControlNet",
            panels=(
                InputPanel(caption="image", image=heart),
                RequestPanel(request=purple_heart | {"controlnets": []}),
                RequestPanel(
                    request=purple_heart | {"controlnets": [control]}, error=ErrorCode.ADAPTER_NOT_FOUND
                ),
            ),
        ),
    )


def _feature(
    label: str, common: Mapping[str, Any], *variants: Mapping[str, Any], **inputs: Image.Image
) -> Feature:
    """A feature with the given input images and a request for each variant of the common fields."""
    input_panels = [InputPanel(caption=caption, image=image) for caption, image in inputs.items()]
    request_panels = [RequestPanel(request={**common, **variant}) for variant in variants]
    return Feature(label=label, panels=(*input_panels, *request_panels))


def _painted(side: int, scene: Scene) -> Image.Image:
    image = scene.draw()
    return image if side == SIZE else image.resize((side, side), Image.Resampling.LANCZOS)


def data_url(image: Image.Image) -> str:
    """The image as a PNG data URL."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
