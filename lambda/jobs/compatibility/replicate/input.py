"""The input of a prediction: the names of Replicate's Stable Diffusion models, and this API's own."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from contract.generation import InvalidRequestError
from contract.options import OutputFormat
from contract.problem import FieldError
from contract.request import Count, InputImage, JobRequest, MaskImage, ModelName, Quality, Steps
from contract.submission import Tags
from jobs.compatibility.image_files import with_media_type
from jobs.compatibility.neutral import only

_OWN_NAMES = {
    "num_outputs": "count",
    "num_inference_steps": "steps",
    "image": "input_image",
    "mask": "mask_image",
    "prompt_strength": "strength",
    "output_quality": "quality",
}
"""This API's name of each field that Replicate's models name differently."""

_NOT_OWN = {
    "model",
    "refine",
    "high_noise_frac",
    "refine_steps",
    "lora_scale",
    "replicate_weights",
    "apply_watermark",
    "disable_safety_checker",
}
"""Fields that are no field of a submission by another name."""

_IMAGES = ("image", "mask", "input_image", "mask_image")
_EXPERT = "expert_ensemble_refiner"
_HIGH_NOISE = 0.8
"""Replicate's default of `high_noise_frac`."""


def _jpeg(name: Any) -> Any:
    return "jpeg" if name == "jpg" else name


_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PredictionInput(JobRequest):
    """The input of a prediction. Fields that are omitted or null take the model's defaults."""

    model: Annotated[
        ModelName | None,
        only(refusal="is named by the path or by `version`; remove it here"),
        Field(description="Null only: the path or `version` names the model."),
    ] = None
    num_outputs: Annotated[Count | None, Field(description="Number of images; `count`.")] = None
    num_inference_steps: Annotated[Steps | None, Field(description="Denoising steps; `steps`.")] = None
    image: Annotated[InputImage | None, Field(description="Image to start from; `input_image`.")] = None
    mask: Annotated[
        MaskImage | None,
        Field(description="Mask: white is regenerated, black is kept; `mask_image`."),
    ] = None
    prompt_strength: Annotated[
        _Share | None,
        Field(description="Denoising strength; `strength`. Without effect if there is no image."),
    ] = None
    output_format: Annotated[
        OutputFormat,
        Field(strict=False, description="File format; `jpg` is `jpeg`."),
        BeforeValidator(_jpeg),
    ] = OutputFormat.PNG
    output_quality: Annotated[
        Quality | None, Field(description="Quality of JPEG and WebP files; `quality`.")
    ] = None
    refine: Annotated[
        Literal["no_refiner", "expert_ensemble_refiner"] | None,
        Field(description="With `expert_ensemble_refiner`, `high_noise_frac` is `refiner_start`."),
    ] = None
    high_noise_frac: Annotated[
        _Share | None, Field(description="0.8 by default. Without effect unless `refine` uses it.")
    ] = None
    refine_steps: Annotated[
        int | None,
        only(refusal="is for `base_image_refiner`, which this API does not have; remove it"),
        Field(description="Null only."),
    ] = None
    lora_scale: Annotated[
        _Share | None, Field(description="Without effect: it is for `replicate_weights`.")
    ] = None
    replicate_weights: Annotated[
        str | None,
        only("", refusal="is not available: LoRAs are files in the models bucket; name them in `loras`"),
        Field(description="Null or empty only."),
    ] = None
    apply_watermark: Annotated[
        bool | None,
        only(False, refusal="is a setting of the deployment; send false, or remove it"),
        Field(description="False or null only."),
    ] = None
    disable_safety_checker: Annotated[
        bool | None,
        only(False, refusal="is a setting of the deployment, its NSFW filter; send false, or remove it"),
        Field(description="False or null only."),
    ] = None
    tags: Tags = ()

    def own_fields(self) -> dict[str, Any]:
        """The fields of a `JobSubmission`, without those that have no effect at Replicate either.

        Raises:
            InvalidRequestError: a field is given by both of its names.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        twice = [name for name, own in _OWN_NAMES.items() if None not in (given.get(name), given.get(own))]
        if twice:
            raise InvalidRequestError(
                tuple(
                    FieldError(
                        pointer=f"#/{name}", detail=f"is the same as {_OWN_NAMES[name]}; remove one of them"
                    )
                    for name in twice
                )
            )
        values = {name: value for name, value in given.items() if name not in _NOT_OWN and value is not None}
        if self.image is None and self.input_image is None:
            values.pop("prompt_strength", None)
        values = {_OWN_NAMES.get(name, name): value for name, value in values.items()}
        if self.refine == _EXPERT:
            values["refiner_start"] = _HIGH_NOISE if self.high_noise_frac is None else self.high_noise_frac
        return values

    def names(self) -> dict[str, str]:
        """The name that the client used for each of this API's fields, where it is Replicate's."""
        names = {own: name for name, own in _OWN_NAMES.items() if getattr(self, name) is not None}
        return names | ({"refiner_start": "high_noise_frac"} if self.refine == _EXPERT else {})


def normalized(document: Mapping[str, Any], uri_of: Callable[[str], str | None]) -> dict[str, Any]:
    """The input without fields that are null, and with images in the forms that the API accepts.

    Args:
        document: the input as the client sent it.
        uri_of: the `s3://` URI of the object that a link leads to; None for other addresses.
    """

    def own(value: Any) -> Any:
        return (uri_of(value) or with_media_type(value)) if isinstance(value, str) else value

    changed = {
        name: own(value) if name in _IMAGES else value
        for name, value in document.items()
        if value is not None or name not in PredictionInput.model_fields
    }
    if isinstance(controlnets := changed.get("controlnets"), list):
        changed["controlnets"] = [
            {**each, "image": own(each["image"])} if isinstance(each, dict) and "image" in each else each
            for each in controlnets
        ]
    return changed
