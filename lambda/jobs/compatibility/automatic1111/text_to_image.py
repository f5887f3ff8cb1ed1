"""Requests for text to image."""

from typing import Annotated, Any

from pydantic import Field

from jobs.compatibility.automatic1111.fields import ImageRequest, invalid
from jobs.compatibility.automatic1111.upscalers import upscaler_of
from jobs.compatibility.neutral import only

_Name = Annotated[str, Field(max_length=200)]
_Text = Annotated[str, Field(max_length=4000)]
_Side = Annotated[int, Field(ge=0, le=100_000, description="Pixels; 0: by `hr_scale`.")]
_SAME = ("Use same checkpoint", "Use same sampler", "Use same scheduler")
_SAME_MODULES = "Use same choices"
_TOLERANCE = 1
"""Pixels by which a side may differ from the other one's scale."""

NAMES = {
    "hires": "enable_hr",
    "hires/steps": "hr_second_pass_steps",
    "hires/strength": "denoising_strength",
    "hires/upscaler": "hr_upscaler",
}
"""The web UI's names of the fields of `hires`."""


class TextToImageRequest(ImageRequest):
    """A request for text to image. Fields of the second pass have no effect unless `enable_hr` is true."""

    enable_hr: Annotated[bool, Field(description="Whether there is a second pass, of `hr_scale`.")] = False
    hr_scale: Annotated[float | None, Field(ge=0, le=100, allow_inf_nan=False)] = None
    hr_upscaler: Annotated[_Name | None, Field(description="Name from GET /sdapi/v1/upscalers.")] = None
    hr_second_pass_steps: Annotated[
        int, Field(ge=0, le=1000, description="Denoising steps; 0: those of the first pass.")
    ] = 0
    hr_resize_x: _Side = 0
    hr_resize_y: _Side = 0
    hr_checkpoint_name: Annotated[_Name | None, Field(description="The same only.")] = None
    hr_sampler_name: Annotated[_Name | None, Field(description="The same only.")] = None
    hr_scheduler: Annotated[_Name | None, Field(description="The same only.")] = None
    hr_prompt: Annotated[_Text, Field(description="Empty, or the same as `prompt`.")] = ""
    hr_negative_prompt: Annotated[_Text, Field(description="Empty, or the same as `negative_prompt`.")] = ""
    hr_additional_modules: Annotated[
        tuple[str, ...] | None,
        only((), (_SAME_MODULES,), refusal="must be empty: settings have the VAE"),
        Field(max_length=16, description="Empty only."),
    ] = None
    firstphase_width: Annotated[
        int | None,
        only(0, refusal="must be 0: width and height are those of the first pass"),
        Field(description="0 only."),
    ] = None
    firstphase_height: Annotated[
        int | None,
        only(0, refusal="must be 0: width and height are those of the first pass"),
        Field(description="0 only."),
    ] = None

    def own_fields(self) -> tuple[dict[str, Any], dict[str, str]]:
        """See `common_fields`."""
        fields, names = self.common_fields(None)
        if self.enable_hr:
            self._check_second_pass()
            given = {
                "scale": self._scale(),
                "steps": self.hr_second_pass_steps or None,
                "strength": self.denoising_strength,
                "upscaler": self.hr_upscaler and upscaler_of(self.hr_upscaler, "#/hr_upscaler"),
            }
            fields["hires"] = {name: value for name, value in given.items() if value is not None}
        return fields, {**names, **NAMES, "hires/scale": self._side_name() or "hr_scale"}

    def _check_second_pass(self) -> None:
        for name, same in (
            ("hr_checkpoint_name", None),
            ("hr_sampler_name", self.sampler_name or self.sampler_index),
            ("hr_scheduler", self.scheduler),
            ("hr_prompt", self.prompt),
            ("hr_negative_prompt", self.negative_prompt),
        ):
            value = getattr(self, name)
            if value and value not in (*_SAME, same):
                raise invalid(name, "is that of the first pass in this API; remove it")

    def _side_name(self) -> str | None:
        return "hr_resize_x" if self.hr_resize_x else "hr_resize_y" if self.hr_resize_y else None

    def _scale(self) -> float | None:
        if self._side_name() is None:
            return self.hr_scale or None
        if self.size is None:
            raise invalid(f"{self._side_name()}", "requires width and height")
        width, height = self.size
        scale = self.hr_resize_x / width if self.hr_resize_x else self.hr_resize_y / height
        if self.hr_resize_y and abs(scale * height - self.hr_resize_y) > _TOLERANCE:
            raise invalid("hr_resize_y", "must have the scale of hr_resize_x: nothing is cropped; send 0")
        return scale
