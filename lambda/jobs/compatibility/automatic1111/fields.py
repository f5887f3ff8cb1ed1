"""The fields that requests for images have in common, and their translation."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contract.generation import InvalidRequestError
from contract.problem import FieldError
from contract.request import (
    MAX_COUNT,
    MAX_SAMPLER_CHARACTERS,
    MAX_SEED,
    ClipSkip,
    Dimension,
    GuidanceScale,
    NegativePrompt,
    Prompt,
    Steps,
)
from contract.size import Size
from jobs.compatibility.automatic1111.scripts import units_of
from jobs.compatibility.automatic1111.settings import Settings, parse_settings
from jobs.compatibility.neutral import only

SETTINGS = "override_settings"
_RANDOM = -1
_MAX_TEXT_CHARACTERS = 4000
_NOT_ECHOED = {"url", "auth", "alwayson_scripts"}
"""SillyTavern's own fields, one of which is a secret; and scripts, which contain images."""

_NAMES = {
    "guidance_scale": "cfg_scale",
    "count": "batch_size",
    "vae": f"{SETTINGS}/sd_vae",
    "clip_skip": f"{SETTINGS}/CLIP_stop_at_last_layers",
    "model": f"{SETTINGS}/sd_model_checkpoint",
    "quality": f"{SETTINGS}/jpeg_quality",
    "preview": f"{SETTINGS}/live_previews_enable",
    "controlnets": "alwayson_scripts",
}


def _seed(value: Any) -> Any:
    return _RANDOM if value == "" else value


def _list_without_blanks(value: Any) -> Any:
    return [each for each in value if each != ""] if isinstance(value, list) else value


def _switched_off(what: str) -> Any:
    return only(False, refusal=f"is not available: there is no {what}; send false")


_Text = Annotated[str, Field(max_length=_MAX_TEXT_CHARACTERS)]
_SamplerText = Annotated[str, Field(max_length=MAX_SAMPLER_CHARACTERS)]
_Ignored = Annotated[bool | None, Field(description="Without effect.")]
_IgnoredNumber = Annotated[float | None, Field(allow_inf_nan=False, description="Without effect.")]
_Churn = Annotated[
    float | None, only(0, refusal="is 0 in this API; remove it"), Field(description="0 or null only.")
]


class ImageRequest(BaseModel):
    """Fields of requests for images. Those that are omitted or null take the model's defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    styles: Annotated[
        tuple[str, ...] | None,
        only((), refusal="must be empty: there are no styles; write their texts in the prompts"),
        BeforeValidator(_list_without_blanks),
        Field(max_length=64, description="Empty only."),
    ] = None
    seed: Annotated[
        int, BeforeValidator(_seed), Field(ge=_RANDOM, le=MAX_SEED, description="-1: random.")
    ] = _RANDOM
    subseed: Annotated[int | None, Field(description="Without effect: subseed_strength is 0.")] = None
    subseed_strength: Annotated[
        float | None,
        only(0, refusal="is not available: there are no variations of seeds; send 0"),
        Field(description="0 or null only."),
    ] = None
    seed_resize_from_h: Annotated[int | None, Field(le=0, description="0, -1 or null only.")] = None
    seed_resize_from_w: Annotated[int | None, Field(le=0, description="0, -1 or null only.")] = None
    sampler_name: Annotated[_SamplerText | None, Field(description="Name from GET /sdapi/v1/samplers.")] = (
        None
    )
    sampler_index: Annotated[
        _SamplerText | None, Field(description="An earlier name of `sampler_name`, which precedes it.")
    ] = None
    scheduler: Annotated[_SamplerText | None, Field(description="Name from GET /sdapi/v1/schedulers.")] = None
    batch_size: Annotated[
        int, Field(ge=1, le=MAX_COUNT, description="Images; times `n_iter`, the `count` of a job.")
    ] = 1
    n_iter: Annotated[int, Field(ge=1, le=MAX_COUNT, description="See `batch_size`.")] = 1
    steps: Steps | None = None
    cfg_scale: GuidanceScale | None = None
    width: Dimension | None = None
    height: Dimension | None = None
    clip_skip: Annotated[
        ClipSkip | None, Field(description=f"SD.Next's name of `{SETTINGS}.CLIP_stop_at_last_layers`.")
    ] = None
    denoising_strength: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)] = None
    override_settings: Annotated[
        dict[str, Any] | None,
        Field(max_length=100, description="Settings of this request; see POST /sdapi/v1/options."),
    ] = None
    override_settings_restore_afterwards: Annotated[
        bool, Field(description="Whether the settings are not kept for further requests of the caller.")
    ] = True
    alwayson_scripts: Annotated[
        dict[str, Any] | None, Field(max_length=16, description="`ControlNet` only.")
    ] = None
    send_images: Annotated[bool, Field(description="Whether the answer contains the images.")] = True
    save_images: _Ignored = None
    do_not_save_samples: _Ignored = None
    do_not_save_grid: _Ignored = None
    force_task_id: Annotated[_Text | None, Field(description="Without effect.")] = None
    url: Annotated[_Text | None, Field(description="Without effect; SillyTavern sends it.")] = None
    auth: Annotated[_Text | None, Field(description="Without effect; SillyTavern sends it.")] = None
    restore_faces: Annotated[
        bool | None, _switched_off("restoration of faces"), Field(description="False only.")
    ] = None
    tiling: Annotated[bool | None, _switched_off("tiling"), Field(description="False only.")] = None
    disable_extra_networks: Annotated[
        bool | None,
        only(False, refusal="is not available; remove <lora:...> from the prompt"),
        Field(description="False only."),
    ] = None
    eta: Annotated[
        float | None,
        only(1, refusal="is that of the sampler; send 1, or remove it"),
        Field(description="1 or null only: the sampler's."),
    ] = None
    s_min_uncond: _Churn = None
    s_churn: _Churn = None
    s_tmax: _IgnoredNumber = None
    s_tmin: _IgnoredNumber = None
    s_noise: Annotated[
        float | None, only(1, refusal="is 1 in this API; remove it"), Field(description="1 or null only.")
    ] = None
    refiner_checkpoint: Annotated[
        _Text | None,
        only("", "None", refusal="is not available: POST /v1/jobs has the model's own, with refiner_start"),
        Field(description="Empty only."),
    ] = None
    refiner_switch_at: Annotated[_IgnoredNumber, Field(description="Without effect.")] = None
    script_name: Annotated[
        _Text | None,
        only("", "None", refusal="is not available: there are no scripts; remove it"),
        Field(description="Empty only."),
    ] = None
    script_args: Annotated[
        list[Any] | None,
        only([], refusal="must be empty: there are no scripts"),
        Field(max_length=100, description="Empty only."),
    ] = None
    comments: Annotated[
        dict[str, Any] | None,
        only({}, refusal="must be empty: files contain the parameters of the image only"),
        Field(description="Empty only."),
    ] = None
    infotext: Annotated[
        _Text | None,
        only("", refusal="is not available: send its parameters as fields; POST /sdapi/v1/png-info reads it"),
        Field(description="Empty only."),
    ] = None
    firstpass_image: Annotated[
        _Text | None,
        only("", refusal="is not available; send it to img2img, with a larger width and height"),
        Field(description="Empty only."),
    ] = None

    @property
    def size(self) -> Size | None:
        """Width and height, if both are given."""
        return None if self.width is None or self.height is None else (self.width, self.height)

    def settings(self) -> Settings:
        """The settings of this request.

        Raises:
            InvalidRequestError: settings are unknown, invalid or not available.
        """
        settings = parse_settings(self.override_settings or {}, within=f"#/{SETTINGS}")
        if self.clip_skip is None:
            return settings
        if settings.CLIP_stop_at_last_layers not in (None, self.clip_skip):
            raise invalid(
                "clip_skip", f"is the same as {SETTINGS}.CLIP_stop_at_last_layers; remove one of them"
            )
        return settings.model_copy(update={"CLIP_stop_at_last_layers": self.clip_skip})

    def common_fields(self, default_image: str | None) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields of a `JobSubmission`, and the client's names of fields, for `fields_named`.

        Args:
            default_image: the URI of the image of ControlNets that have none of their own.

        Raises:
            InvalidRequestError: a ControlNet or another script cannot be had.
        """
        units = units_of(self.alwayson_scripts or {}, default_image=default_image, size=self.size)
        fields = {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "width": self.width,
            "height": self.height,
            "steps": self.steps,
            "guidance_scale": self.cfg_scale,
            "sampler": self.sampler_name or self.sampler_index or None,
            "scheduler": self.scheduler or None,
            "seed": None if self.seed == _RANDOM else self.seed,
            "count": self.batch_size * self.n_iter,
            "controlnets": tuple(unit.fields for unit in units),
        }
        names = {**_NAMES, "sampler": "sampler_name" if self.sampler_name else "sampler_index"}
        if self.clip_skip is not None:
            names["clip_skip"] = "clip_skip"
        for index, unit in enumerate(units):
            names |= unit.names(index)
        return fields, names

    def echo(self) -> dict[str, Any]:
        """The request, as answers repeat it: without secrets and images."""
        return {**self.model_dump(mode="json", exclude=_NOT_ECHOED), "alwayson_scripts": {}}


def without_nulls(document: Mapping[str, Any], kind: type[BaseModel]) -> dict[str, Any]:
    """A document without known fields that are null."""
    return {
        name: value for name, value in document.items() if value is not None or name not in kind.model_fields
    }


def invalid(name: str, detail: str) -> InvalidRequestError:
    """The error for one field."""
    return InvalidRequestError((FieldError(pointer=f"#/{name}", detail=detail),))
