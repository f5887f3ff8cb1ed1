"""Units of the web UI's ControlNet extension."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from contract.generation import InvalidRequestError
from contract.images import MAX_DATA_URL_CHARACTERS
from contract.problem import FieldError
from contract.request import MAX_CONTROLNETS
from contract.size import Size
from contract.validation import validate
from jobs.compatibility.automatic1111.images import has_ratio_of, image_uri
from jobs.compatibility.field_names import fields_named
from jobs.compatibility.neutral import only

_NAMES = {
    "type": "model",
    "image": "image",
    "weight": "weight",
    "start": "guidance_start",
    "end": "guidance_end",
    "preprocess": "module",
}
"""The extension's names of the fields of a ControlNet."""

_MAX_UNITS = 2 * MAX_CONTROLNETS
"""Those that are not enabled included."""

_MAX_NAME_CHARACTERS = 200
_NO_MODULE = ("none", "None", "")
_PREPROCESSED = "canny"
_CROP = (1, "Crop and Resize")
_THRESHOLDS = (100.0, 200.0)
_Image = Annotated[str | None, Field(max_length=MAX_DATA_URL_CHARACTERS)]
_Name = Annotated[str, Field(max_length=_MAX_NAME_CHARACTERS)]


@dataclass(frozen=True, kw_only=True)
class UnitFields:
    """A unit that is enabled.

    Attributes:
        fields: of a `ControlNet`.
        path: of the unit in the request.
    """

    fields: dict[str, Any]
    path: str

    def names(self, index: int) -> dict[str, str]:
        """The client's names of the fields of the ControlNet number `index`, for `fields_named`."""
        names = {f"controlnets/{index}/{own}": f"{self.path}/{name}" for own, name in _NAMES.items()}
        return {f"controlnets/{index}": self.path, **names}


class ControlNetUnit(BaseModel):
    """A unit of the extension. Images are base64, with or without the header of a `data:` URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    image: _Image = None
    input_image: _Image = None
    mask: Annotated[Any, only("", refusal="is not available: a ControlNet applies to the whole image")] = None
    module: _Name = "none"
    model: _Name = "None"
    weight: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    guidance_start: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    guidance_end: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    resize_mode: int | _Name = 1
    threshold_a: Annotated[float, Field(allow_inf_nan=False)] = -1.0
    threshold_b: Annotated[float, Field(allow_inf_nan=False)] = -1.0
    control_mode: Annotated[
        int | _Name, only(0, "Balanced", refusal="is `Balanced` in this API; remove it")
    ] = 0
    hr_option: Annotated[_Name, only("Both", refusal="is `Both` in this API, for both passes; remove it")] = (
        "Both"
    )
    guessmode: Annotated[bool | None, only(False, refusal="is not available; send false")] = None
    processor_res: int | None = None
    pixel_perfect: bool | None = None
    low_vram: bool | None = None
    lowvram: bool | None = None
    save_detected_map: bool | None = None

    def own_fields(self, default_image: str | None, size: Size | None) -> dict[str, Any]:
        """The fields of a `ControlNet`.

        Args:
            default_image: the URI of the image to use without one of the unit's own.
            size: of the generated image; None if it follows from the input image.

        Raises:
            InvalidRequestError: the unit cannot be had; the error names its field.
        """
        name = "image" if self.input_image is None else "input_image"
        given = self.image or self.input_image
        image = image_uri(given, f"#/{name}") if given else default_image
        if image is None:
            raise _invalid("image", "is required")
        if self.model in _NO_MODULE:
            raise _invalid("model", "is required: the name of a ControlNet in the models bucket")
        if self.resize_mode not in _CROP and given and size is not None and not has_ratio_of(image, size):
            raise _invalid(
                "resize_mode",
                "images of another aspect ratio than width and height are cropped; send 1 (Crop and Resize)",
            )
        return {
            "type": self.model.partition(" [")[0],
            "image": image,
            "weight": self.weight,
            "start": self.guidance_start,
            "end": self.guidance_end,
            "preprocess": self._is_preprocessed(),
        }

    def _is_preprocessed(self) -> bool:
        if self.module in _NO_MODULE:
            return False
        if self.module != _PREPROCESSED:
            raise _invalid(
                "module",
                f"control images are computed by {_PREPROCESSED} only; send a finished control image as "
                "image, with the module none",
            )
        thresholds = self.threshold_a, self.threshold_b
        names = ("threshold_a", "threshold_b")
        for name, given, used in zip(names, thresholds, _THRESHOLDS, strict=True):
            if given >= 0 and given != used:
                raise _invalid(name, f"is {used:g} for {_PREPROCESSED} in this API; send it, or -1")
        return True


def parse_units(
    given: Sequence[Any], *, within: str, default_image: str | None, size: Size | None
) -> tuple[UnitFields, ...]:
    """The units that are enabled.

    Args:
        given: the units.
        within: JSON pointer of the list that they are in, for errors.
        default_image: see `ControlNetUnit.own_fields`.
        size: see `ControlNetUnit.own_fields`.

    Raises:
        InvalidRequestError: a unit is invalid, or cannot be had; the error names its field.
    """
    if len(given) > _MAX_UNITS:
        raise InvalidRequestError(
            (FieldError(pointer=within, detail=f"must contain at most {_MAX_UNITS} units"),)
        )
    found = []
    for index, each in enumerate(given):
        pointer = f"{within}/{index}"
        if not isinstance(each, Mapping):
            raise InvalidRequestError((FieldError(pointer=pointer, detail="must be an object"),))
        fields = {name: value for name, value in each.items() if value is not None}
        with fields_named({}, within=pointer):
            unit = validate(ControlNetUnit, fields)
            if unit.enabled:
                own = unit.own_fields(default_image, size)
                found.append(UnitFields(fields=own, path=pointer.removeprefix("#/")))
    return tuple(found)


def _invalid(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(pointer=f"#/{name}", detail=detail),))
