"""Settings of the web UI: those that requests, and the options of a caller, may change."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contract.generation import InvalidRequestError
from contract.model import ModelDeclaration
from contract.options import OutputFormat
from contract.problem import MAX_ECHOED_CHARACTERS, FieldError
from contract.request import ClipSkip, Quality, VaeName
from contract.validation import validate
from jobs.catalog import ModelCatalog
from jobs.compatibility.field_names import fields_named

_MAX_NAME_CHARACTERS = 200
AUTOMATIC_VAE = "Automatic"
"""The web UI's name for no VAE beside that of the model."""

_OWN_VAE = ("", "None", AUTOMATIC_VAE)

FIXED: Mapping[str, Any] = {
    "emphasis": "Original",
    "eta_noise_seed_delta": 0,
    "face_restoration": False,
    "img2img_color_correction": False,
    "img2img_fix_steps": False,
    "initial_noise_multiplier": 1.0,
    "sd_hypernetwork": "None",
    "token_merging_ratio": 0.0,
    "use_old_scheduling": False,
}
"""Settings that would change images, and have one value only."""

_WITHOUT_EFFECT = frozenset(
    (
        "do_not_add_watermark",
        "enable_pnginfo",
        "grid_save",
        "return_grid",
        "return_mask",
        "return_mask_composite",
        "samples_filename_pattern",
        "samples_save",
        "save_images_add_number",
        "save_to_dirs",
        "sd_checkpoint_cache",
        "sd_checkpoint_hash",
        "sd_checkpoints_limit",
        "sd_vae_checkpoint_cache",
        "show_progress_every_n_steps",
        "show_progressbar",
    )
)
"""Settings of files, caches and displays, which concern no image."""


def _vae_name(name: Any) -> Any:
    return AUTOMATIC_VAE if name in _OWN_VAE else name


class Settings(BaseModel):
    """Settings with an effect; null: not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sd_model_checkpoint: Annotated[
        str | None,
        Field(max_length=_MAX_NAME_CHARACTERS, description="Name of a model from GET /sdapi/v1/sd-models."),
    ] = None
    sd_vae: Annotated[
        VaeName | None,
        BeforeValidator(_vae_name),
        Field(description="Name of a VAE; `Automatic`: the model's."),
    ] = None
    CLIP_stop_at_last_layers: Annotated[ClipSkip | None, Field(description="CLIP skip.")] = None
    samples_format: Annotated[
        Literal["png", "jpg", "jpeg", "webp"] | None, Field(description="File format of the images.")
    ] = None
    jpeg_quality: Annotated[
        Quality | None, Field(description="Quality of JPEG and WebP files, 1 to 100.")
    ] = None
    live_previews_enable: Annotated[
        bool | None, Field(description="Whether GET /sdapi/v1/progress shows a preview.")
    ] = None

    def over(self, others: "Settings") -> "Settings":
        """These settings, and others where they are not set."""
        return others.model_copy(update=self.model_dump(exclude_none=True))

    def model(self, catalog: ModelCatalog) -> ModelDeclaration:
        """The model; the default one if none is set, or if it has been removed since."""
        names = {each.name for each in catalog}
        return catalog.find(self.sd_model_checkpoint if self.sd_model_checkpoint in names else None)

    def own_fields(self) -> dict[str, Any]:
        """The fields of a `JobSubmission`, without the model."""
        fields = {
            "vae": None if self.sd_vae == AUTOMATIC_VAE else self.sd_vae,
            "clip_skip": self.CLIP_stop_at_last_layers,
            "output_format": self.samples_format and _output_format(self.samples_format),
            "quality": self.jpeg_quality,
            "preview": self.live_previews_enable,
        }
        return {name: value for name, value in fields.items() if value is not None}


NOT_SET = Settings()


def parse_settings(given: Mapping[str, Any], *, within: str = "#") -> Settings:
    """Parses settings.

    Args:
        given: values by the names of the web UI's settings.
        within: JSON pointer of the object that they are in, for errors.

    Raises:
        InvalidRequestError: settings are unknown, invalid or not available; the error names them.
    """
    with fields_named({}, within=within):
        if errors := tuple(_refusals(given)):
            raise InvalidRequestError(errors)
        return validate(
            Settings,
            {name: value for name, value in given.items() if name in Settings.model_fields},
        )


def _refusals(given: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, value in given.items():
        if name in Settings.model_fields or name in _WITHOUT_EFFECT or value is None:
            continue
        pointer = f"#/{name[:MAX_ECHOED_CHARACTERS].replace('~', '~0').replace('/', '~1')}"
        if name not in FIXED:
            yield FieldError(pointer=pointer, detail="is not a setting of this API; remove it")
        elif value != FIXED[name]:
            yield FieldError(pointer=pointer, detail=f"is {FIXED[name]!r} in this API; remove it")


def _output_format(name: str) -> OutputFormat:
    return OutputFormat("jpeg" if name == "jpg" else name)
