"""What is shown: the features, the requests that use them, and the pictures that go with these."""

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


@dataclass(frozen=True, kw_only=True)
class Given:
    """A picture that the row's requests bring along."""

    caption: str
    picture: Image.Image


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for one picture.

    Attributes:
        request: the body of POST /v1/jobs.
        is_drawn: False where the point is that it is refused.
        refusal: the code with which it may or, where nothing `is_drawn`, must be refused.
    """

    request: Mapping[str, Any]
    is_drawn: bool = True
    refusal: ErrorCode | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A feature, shown in a few pictures side by side."""

    label: str
    panels: tuple[Given | Asked, ...]

    @property
    def requests(self) -> tuple[Mapping[str, Any], ...]:
        """What is asked for, from left to right."""
        return tuple(panel.request for panel in self.panels if isinstance(panel, Asked))


def rows(side: int) -> tuple[Row, ...]:
    """The features, as the demo model can show them.

    Args:
        side: of the model's usual pictures, in pixels, a multiple of 16.
    """
    return (
        _row("Text to image", {"prompt": _STAR}, {"seed": 7}, {"seed": 8}),
        _row("Samplers", {"prompt": _STAR, "seed": _SEED}, *({"sampler": name} for name in _SAMPLERS)),
        _row("Steps", {"prompt": _STAR, "seed": _SEED}, {"steps": 1}, {"steps": 4}, {"steps": 20}),
        _row(
            "Emphasis",
            {"seed": 6},
            *({"prompt": f"a {red} orange circle on a white background"} for red in _EMPHASES),
        ),
        _row(
            "Beyond 77 tokens",
            {"seed": _SEED},
            {"prompt": _PADDING},
            {"prompt": f"{_PADDING} a red circle on a white background"},
        ),
        _row(
            "Clip skip",
            {"prompt": "a striped orange heart on a black background", "seed": 1},
            *({"clip_skip": layer} for layer in (1, 2, 3)),
        ),
        _row(
            "LoRA",
            {"prompt": "a big red moon on a white background", "seed": 1},
            {"loras": []},
            {"loras": [{"name": "moon"}]},
        ),
        *_rows_from_pictures(side),
        _row(
            "Hires pass",
            {"prompt": _STAR, "seed": 1, "width": side // 2, "height": side // 2},
            {"hires": None},
            {"hires": {"scale": 2, "strength": 0.7}},
        ),
        _row(
            "Upscaling",
            {"prompt": _STAR, "seed": _SEED},
            {"upscale": None},
            {"upscale": {"scale": 1.5, "upscaler": "lanczos"}},
        ),
        _row(
            "Output formats",
            {"prompt": _STAR, "seed": _SEED},
            *({"output_format": name} for name in ("png", "jpeg", "webp")),
        ),
        Row(
            label="Refused requests",
            panels=(
                Asked(
                    request={"prompt": _STAR, "width": 100},
                    is_drawn=False,
                    refusal=ErrorCode.VALIDATION_FAILED,
                ),
                Asked(
                    request={"prompt": _STAR, "loras": [{"name": "comet"}]},
                    is_drawn=False,
                    refusal=ErrorCode.ADAPTER_NOT_FOUND,
                ),
            ),
        ),
    )


_SAMPLERS = ("euler_a", "DPM++ 2M Karras", "UniPC", "Heun", "LCM")
_EMPHASES = ("red", "(red:1.4)", "(red:1.8)")
_PADDING = " ".join(["photo"] * 80)


def _rows_from_pictures(side: int) -> tuple[Row, ...]:
    square = _drawn(
        side, Scene(shape="square", colour="red", background="white", size="small", position="left")
    )
    circle = _drawn(side, Scene(shape="circle", colour="orange", background="white", size="big"))
    half = _drawn(side, Scene(shape="circle", colour="blue", background="yellow", size="big"))
    border = side // 32 * 8
    half = half.crop((border, 0, side - border, side))
    heart = _drawn(
        side, Scene(shape="heart", colour="black", background="white", size="small", position="right")
    )
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).rectangle((side // 2, 0, side, side), fill=255)
    control = {"type": "canny", "image": data_url(heart), "preprocess": True}
    purple_heart = {"prompt": "a purple heart on a yellow background", "seed": _SEED}
    return (
        _row(
            "Image to image",
            {"prompt": "a blue star on a yellow background", "input_image": data_url(square), "seed": 1},
            {"strength": 0.3},
            {"strength": 0.7},
            input=square,
        ),
        _row(
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
        _row(
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
        Row(
            label="ControlNet",
            panels=(
                Given(caption="image", picture=heart),
                Asked(request=purple_heart | {"controlnets": []}),
                Asked(request=purple_heart | {"controlnets": [control]}, refusal=ErrorCode.ADAPTER_NOT_FOUND),
            ),
        ),
    )


def _row(label: str, common: Mapping[str, Any], *variants: Mapping[str, Any], **given: Image.Image) -> Row:
    shown = [Given(caption=caption, picture=picture) for caption, picture in given.items()]
    asked = [Asked(request={**common, **variant}) for variant in variants]
    return Row(label=label, panels=(*shown, *asked))


def _drawn(side: int, scene: Scene) -> Image.Image:
    picture = scene.draw()
    return picture if side == SIZE else picture.resize((side, side), Image.Resampling.LANCZOS)


def data_url(picture: Image.Image) -> str:
    """The picture as a request can bring it along."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
