"""The options of the web UI: the settings of a caller."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from contract.document import parse_document
from contract.options import OutputFormat
from contract.request import JobRequest
from jobs.catalog import ModelCatalog
from jobs.compatibility.automatic1111.settings import AUTOMATIC_VAE, FIXED, Settings, parse_settings
from jobs.compatibility.field_names import fields_named

_CHECKPOINT = "sd_model_checkpoint"
_QUALITY = JobRequest.model_fields["quality"].default


class WebUiOptions(BaseModel):
    """The settings of a caller, and those that have one value only."""

    model_config = ConfigDict(extra="allow")

    sd_model_checkpoint: str = Field(description="Name of the model.")
    sd_checkpoint_hash: str = Field(default="", description="Always empty.")
    sd_vae: str
    CLIP_stop_at_last_layers: int
    samples_format: str
    jpeg_quality: int
    live_previews_enable: bool

    @classmethod
    def of(cls, settings: Settings, catalog: ModelCatalog) -> Self:
        """Creates the view of a caller's settings."""
        model = settings.model(catalog)
        return cls(
            sd_model_checkpoint=model.name,
            sd_vae=settings.sd_vae or AUTOMATIC_VAE,
            CLIP_stop_at_last_layers=settings.CLIP_stop_at_last_layers or model.defaults.clip_skip,
            samples_format=settings.samples_format or OutputFormat.PNG.value,
            jpeg_quality=settings.jpeg_quality or _QUALITY,
            live_previews_enable=settings.live_previews_enable or False,
            **FIXED,
        )


class WebUiOptionsUpdate(Settings):
    """Settings to change. Settings of files, caches and displays are accepted, without effect."""

    model_config = ConfigDict(extra="allow")


def parse_options(body: str, current: Settings, catalog: ModelCatalog) -> Settings:
    """The settings of a caller after a request that changes some of them.

    Clients send all options back when they change one: values that are those of GET are not stored, so that
    the model's defaults remain.

    Args:
        body: a JSON object with settings.
        current: the caller's settings.
        catalog: the models.

    Raises:
        MalformedRequestError: the body is not a JSON object within the limits of `parse_document`.
        InvalidRequestError: settings are unknown, invalid or not available; the error names them.
        ModelNotFoundError: there is no such model.
    """
    document = parse_document(body)
    shown = WebUiOptions.of(current, catalog).model_dump()
    settings = parse_settings(_changed(document, shown))
    with fields_named({"model": _CHECKPOINT}):
        catalog.find(settings.sd_model_checkpoint)
    return settings.over(current)


def _changed(document: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in shown or value != shown[name]}
